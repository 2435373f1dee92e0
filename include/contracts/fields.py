"""Every field of a contract on one line: what people read, and what a comparison of two versions compares."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from include.contracts.rules import is_personal

# Keywords that narrow what a field may hold, in the order in which they are told.
LIMITS: Final = (
    "enum",
    "const",
    "pattern",
    "format",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
)


@dataclass(frozen=True)
class Field:
    """One field of a contract.

    Attributes:
        path: Where it is; a step ``[]`` stands for every item of an array.
        schema: Its own part of the JSON Schema.
        required: Whether the object that holds it may not be without it.
        needed_by: Event types that may not be without it.
        personal: Whether it, or something within it, identifies a person.
    """

    path: tuple[str, ...]
    schema: Mapping[str, Any]
    required: bool
    needed_by: tuple[str, ...]
    personal: bool

    @property
    def name(self) -> str:
        """As people write it: ``items[].quantity``."""
        return ".".join(self.path).replace(".[]", "[]")

    @property
    def kind(self) -> str:
        """Its JSON type."""
        return str(self.schema["type"])

    @property
    def limits(self) -> dict[str, Any]:
        """What it may hold, by keyword."""
        return {keyword: self.schema[keyword] for keyword in LIMITS if keyword in self.schema}


def needed_by(schema: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """For each field at the top that only some event types need: those types."""
    found: dict[str, tuple[str, ...]] = {}
    for rule in schema.get("allOf", ()):
        types = rule["if"]["properties"]["event_type"]["enum"]
        for name in rule["then"]["required"]:
            found[name] = (*found.get(name, ()), *types)
    return found


def fields_of(schema: Mapping[str, Any]) -> tuple[Field, ...]:
    """All fields of a contract, objects and arrays included, in its order."""
    return tuple(_within(schema, (), needed_by(schema), is_marked=False))


def _within(
    schema: Mapping[str, Any], path: tuple[str, ...], types: Mapping[str, tuple[str, ...]], *, is_marked: bool
) -> Iterator[Field]:
    required = schema.get("required", ())
    for name, field in schema["properties"].items():
        where = (*path, name)
        marked = is_marked or bool(field.get("x-personal"))
        yield Field(
            path=where,
            schema=field,
            required=name in required,
            needed_by=() if path else types.get(name, ()),
            personal=marked or is_personal(field),
        )
        if field["type"] == "object":
            yield from _within(field, where, types, is_marked=marked)
        if field["type"] == "array":
            yield from _within(field["items"], (*where, "[]"), types, is_marked=marked)
