"""Values on the command line: durations, shares and times as people write them."""

import re
from datetime import UTC, datetime
from typing import Final

import typer

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION: Final = re.compile(r"^(\d+(?:\.\d+)?)([smhd]?)$")


def duration(text: str) -> float:
    """Seconds: ``90``, ``90s``, ``5m``, ``2h``, ``7d``."""
    match = _DURATION.match(text.strip())
    if match is None or float(match[1]) == 0:
        raise typer.BadParameter(f"{text!r} is not a duration above zero; write for example 90s, 5m, 2h or 7d")
    return float(match[1]) * _UNITS[match[2]]


def share(value: str | float) -> float:
    """A share from 0 to 1: ``0.01`` or ``1%``. Typer passes defaults through it too, which are numbers already."""
    text = str(value)
    number, scale = (text[:-1], 100) if text.endswith("%") else (text, 1)
    try:
        return float(number) / scale
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a share; write for example 0.01 or 1%") from None


def instant_ms(text: str) -> int:
    """Milliseconds since 1970 of an ISO time; without a zone it is UTC."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time; write for example 2026-01-31T12:00:00Z") from None
    return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
