"""Values as a contract wants them, from what shops send instead; what cannot be read is left as it is."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

_YES: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
# Larger numbers are milliseconds since 1970, smaller ones seconds.
_MILLISECONDS_FROM: Final = 100_000_000_000


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _number(value: Any) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    number = Decimal(str(value).strip())
    if not number.is_finite():
        raise ValueError
    return int(number) if number == number.to_integral_value() else float(number)


def _integer(value: Any) -> int:
    number = _number(value)
    if not isinstance(number, int):
        raise ValueError
    return number


def _boolean(value: Any) -> bool:
    return _YES[str(value).strip().lower()]


def _decimal(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    amount = Decimal(str(value).strip())
    cents = amount.quantize(Decimal("0.01"))
    # Rounding money would make another amount of it.
    if cents != amount:
        raise ValueError
    return f"{cents:f}"


def _time(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value / 1000 if abs(value) >= _MILLISECONDS_FROM else value
        if not math.isfinite(seconds):
            raise ValueError
        time = datetime.fromtimestamp(seconds, UTC)
    else:
        time = datetime.fromisoformat(str(value).strip())
        time = time if time.tzinfo else time.replace(tzinfo=UTC)
    time = time.astimezone(UTC)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"


CASTS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "text": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "decimal": _decimal,
    "time": _time,
}


def cast(value: Any, kind: str) -> Any:
    """The value as one of ``CASTS``; the value itself where it cannot be read as that."""
    try:
        return CASTS[kind](value)
    except (ValueError, KeyError, ArithmeticError, InvalidOperation, OverflowError, OSError):
        return value
