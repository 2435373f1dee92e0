"""How a contract file is laid out: one field a line, so that a changed field shows as a changed line."""

import json
from collections.abc import Mapping
from typing import Any, Final

_STEP: Final = "  "


def text_of(schema: Mapping[str, Any]) -> str:
    """A contract as the text of its file."""
    return f"{_expanded(schema, '')}\n"


def _expanded(schema: Mapping[str, Any], indent: str) -> str:
    inner = indent + _STEP
    lines = [f"{inner}{json.dumps(key)}: {_value(key, value, inner)}" for key, value in schema.items()]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def _value(key: str, value: Any, indent: str) -> str:
    inner = indent + _STEP
    if key == "properties":
        lines = [f"{inner}{json.dumps(name)}: {_field(field, inner)}" for name, field in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if key == "allOf":
        return "[\n" + ",\n".join(f"{inner}{_flat(rule)}" for rule in value) + f"\n{indent}]"
    if key == "items":
        return _expanded(value, indent)
    return _flat(value)


def _field(field: Mapping[str, Any], indent: str) -> str:
    return _expanded(field, indent) if {"properties", "items"} & set(field) else _flat(field)


def _flat(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
