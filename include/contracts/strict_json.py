"""JSON as this platform reads it: the text that Spark's ``try_parse_json`` takes, and not a character more."""

import json
import re
from typing import Any, Final, NoReturn

from include.contracts.rules import MAX_DEPTH

# Limits of Jackson, which Spark reads JSON with.
_MAX_NAME_LENGTH: Final = 50_000
_MAX_DIGITS: Final = 1_000

_ESCAPE: Final = re.compile(r"\\.", re.DOTALL)
_TEXT: Final = re.compile(r'"[^"]*"')
_NOT_BRACKET: Final = re.compile(r"[^\[\]{}]+")
_NOT_DIGIT: Final = re.compile(r"[^0-9]+")
# Jackson does not count the zero before a point, unless there is an exponent.
_UNCOUNTED_ZERO: Final = re.compile(r"^-?0(?=\.[0-9]+$)")


def is_too_deep(text: str) -> bool:
    """Whether brackets outside of texts are nested too deeply to be read; asked before the text is parsed."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _NOT_BRACKET.sub("", _TEXT.sub("", _ESCAPE.sub("", text))):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a key occurs twice")
    if any(
        len(name) * 2 > _MAX_NAME_LENGTH and len(name.encode("utf-16-le")) > 2 * _MAX_NAME_LENGTH for name in fields
    ):
        raise ValueError("a key is too long")
    return fields


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _limited(text: str) -> str:
    if len(text) > _MAX_DIGITS and len(_NOT_DIGIT.sub("", _UNCOUNTED_ZERO.sub("", text))) > _MAX_DIGITS:
        raise ValueError("a number has too many digits")
    return text


def loads(text: str) -> Any:
    """Parse strict JSON: no key twice, no NaN or Infinity, no half of a surrogate pair, nothing after the value.

    Raises:
        ValueError: If the text is not that.
    """
    value = json.loads(
        text,
        object_pairs_hook=_unique,
        parse_constant=_refuse_constant,
        parse_int=lambda digits: int(_limited(digits)),
        parse_float=lambda digits: float(_limited(digits)),
    )
    if "\\ud" in text or "\\uD" in text:
        json.dumps(value, ensure_ascii=False).encode()  # UnicodeEncodeError, a ValueError, at half a pair
    return value
