"""A contract as an ordered list of checks: the one reading of the JSON Schema that Python and Spark both follow.

The order decides which fault of an event is reported, so that every validator reports the same one.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from include.contracts.registry import Contract
from include.errors import ConfigurationError

MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 100
MAX_FUTURE_SECONDS: Final = 600
OLDEST_EVENT_TIME: Final = "1990-01-01T00:00:00.000Z"
MASK: Final = "***"
SHOWN_CHARACTERS: Final = 100

# Patterns mean the same to Python's and to Java's regular expressions as long as they keep to these characters.
_PORTABLE_PATTERN: Final = re.compile(r"\^[A-Za-z0-9_.,@:()|\[\]{}*+?\\ -]*\$")
_STRUCTURE: Final = {"type", "required", "properties", "items", "description"}
_MARKS: Final = {"x-personal", "x-decimal"}


class Reason(StrEnum):
    """Why an event is refused."""

    UNKNOWN_TOPIC = "unknown_topic"
    MISSING_VALUE = "missing_value"
    TOO_LARGE = "too_large"
    INVALID_UTF8 = "invalid_utf8"
    TOO_DEEP = "too_deep"
    MALFORMED_JSON = "malformed_json"
    UNKNOWN_VERSION = "unknown_version"
    UNKNOWN_EVENT_TYPE = "unknown_event_type"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_VALUE = "unknown_value"
    BAD_FORMAT = "bad_format"
    BAD_TIMESTAMP = "bad_timestamp"
    WRONG_LENGTH = "wrong_length"
    OUT_OF_RANGE = "out_of_range"
    ANCIENT_TIMESTAMP = "ancient_timestamp"
    FUTURE_TIMESTAMP = "future_timestamp"
    MISSING_KEY = "missing_key"
    KEY_MISMATCH = "key_mismatch"


_STAGES: Final = {
    **dict.fromkeys((Reason.UNKNOWN_TOPIC, Reason.MISSING_KEY, Reason.KEY_MISMATCH), "routing"),
    **dict.fromkeys(
        (Reason.MISSING_VALUE, Reason.TOO_LARGE, Reason.INVALID_UTF8, Reason.TOO_DEEP, Reason.MALFORMED_JSON), "bytes"
    ),
}


def stage_of(reason: Reason) -> str:
    """Where a reason is found: ``routing`` (topic, key), ``bytes`` (to JSON) or ``contract``."""
    return _STAGES.get(reason, "contract")


@dataclass(frozen=True)
class Check:
    """One condition on one field.

    Attributes:
        path: The field, for example ``("device", "device_id")``; relative to the item within an array.
        keyword: Keyword of JSON Schema, or ``required``, or ``each`` for the checks of an array's items.
        argument: The keyword's value; for ``required`` the event types that it holds for (None: all); for ``each``
            a tuple of checks.
        reason: What a breach is called.
        expected: What the contract asks for, in words.
        personal: Whether the field, or one within it, identifies a person.
    """

    path: tuple[str, ...]
    keyword: str
    argument: Any
    reason: Reason
    expected: str
    personal: bool


def field_name(path: tuple[str, ...], prefix: str = "") -> str:
    """A path as rejections print it: ``items[0].quantity``."""
    return ".".join((prefix, *path)) if prefix else ".".join(path)


def is_personal(schema: Mapping[str, Any]) -> bool:
    """Whether a field or anything within it is marked ``x-personal``."""
    inner = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    return bool(schema.get("x-personal")) or any(is_personal(child) for child in inner)


def strict_pattern(pattern: str) -> str:
    """The inside of ``^...$``, for matchers of whole texts; ``$`` alone also matches before a last line break."""
    if not _PORTABLE_PATTERN.fullmatch(pattern):
        raise ConfigurationError(f"pattern {pattern!r}: write ^...$ with plain classes, groups and counts")
    return pattern[1:-1]


def _object_checks(schema: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Check]:
    required = schema.get("required", [])
    for name, field in schema["properties"].items():
        where = (*path, name)
        if name in required:
            yield Check(where, "required", None, Reason.MISSING_FIELD, "the field", is_personal(field))
        yield from _field_checks(field, where)


def _field_checks(schema: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[Check]:
    unknown = set(schema) - _STRUCTURE - _MARKS - set(_VALUE_KEYWORDS)
    if unknown:
        raise ConfigurationError(f"{field_name(path)}: contracts do not use {', '.join(sorted(unknown))}")
    personal = is_personal(schema)
    kind = schema["type"]
    yield Check(path, "type", kind, Reason.WRONG_TYPE, f"type {kind}", personal)
    for keyword, (reason, words) in _VALUE_KEYWORDS.items():
        if keyword in schema and path != ("schema_version",):
            argument = strict_pattern(schema[keyword]) if keyword == "pattern" else schema[keyword]
            reason = Reason.UNKNOWN_EVENT_TYPE if path == ("event_type",) and keyword == "enum" else reason
            shown = ", ".join(argument) if keyword == "enum" else str(schema[keyword])
            yield Check(path, keyword, argument, reason, f"{words} {shown}", personal)
    if kind == "object":
        yield from _object_checks(schema, path)
    if kind == "array":
        item = schema["items"]
        if "maxItems" not in schema or item["type"] != "object":
            raise ConfigurationError(f"{field_name(path)}: arrays hold objects and have maxItems")
        is_object = Check((), "type", "object", Reason.WRONG_TYPE, "type object", is_personal(item))
        inner = (is_object, *_object_checks(item, ()))
        yield Check(path, "each", inner, Reason.WRONG_TYPE, "valid items", personal)


_VALUE_KEYWORDS: Final = {
    "enum": (Reason.UNKNOWN_VALUE, "one of"),
    "const": (Reason.UNKNOWN_VALUE, "the value"),
    "pattern": (Reason.BAD_FORMAT, "text like"),
    "format": (Reason.BAD_TIMESTAMP, "a day and time that exist, as"),
    "minLength": (Reason.WRONG_LENGTH, "characters, at least"),
    "maxLength": (Reason.WRONG_LENGTH, "characters, at most"),
    "minimum": (Reason.OUT_OF_RANGE, "at least"),
    "maximum": (Reason.OUT_OF_RANGE, "at most"),
    "minItems": (Reason.WRONG_LENGTH, "items, at least"),
    "maxItems": (Reason.WRONG_LENGTH, "items, at most"),
}


def _conditional_checks(schema: Mapping[str, Any]) -> Iterator[Check]:
    for rule in schema.get("allOf", []):
        event_types = tuple(rule["if"]["properties"]["event_type"]["enum"])
        for name in rule["then"]["required"]:
            expected = f"the field, with event_type {', '.join(event_types)}"
            personal = is_personal(schema["properties"][name])
            yield Check((name,), "required", event_types, Reason.MISSING_FIELD, expected, personal)


@lru_cache(maxsize=64)
def checks_of(contract: Contract) -> tuple[Check, ...]:
    """The checks of a contract, in the order in which faults are reported.

    Raises:
        ConfigurationError: If the contract uses a keyword or a pattern that the validators do not share.
    """
    return (*_object_checks(contract.schema, ()), *_conditional_checks(contract.schema))
