"""An event that keeps its contract, made from the contract alone: for the reference page, a first try, and tests."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from include.contracts.fields import needed_by
from include.contracts.registry import Contract
from include.contracts.validation import check
from include.errors import ConfigurationError

# Tried after the field's own name; the first that its pattern takes is shown.
_TEXTS: Final = ("2026-11-24T12:00:00.000Z", "10.00", "EUR", "DE", "en", "example", "example-1", "1", "a")
_ID: Final = "event-000001"


def example(contract: Contract, event_type: str, *, whole: bool = False) -> dict[str, Any]:
    """An event of a type.

    Args:
        contract: Its contract.
        event_type: Its type.
        whole: With every field, not only with those that it cannot be without.

    Raises:
        ConfigurationError: If a field has a pattern of which no example is known.
    """
    schema = contract.schema
    needed = {name for name, types in needed_by(schema).items() if event_type in types}
    event = _object(schema, needed, whole=whole)
    event |= {"event_id": _ID, "event_type": event_type}
    rejection = check(json.dumps(event).encode(), contract.topic)
    if rejection is not None:
        raise ConfigurationError(
            f"{contract.name}.v{contract.version}: the example of {event_type} breaks its own contract: "
            f"{rejection.reason} at {rejection.field}: expected {rejection.expected}, found {rejection.found}"
        )
    return event


def _object(schema: Mapping[str, Any], needed: set[str], *, whole: bool) -> dict[str, Any]:
    required = {*schema.get("required", ()), *needed}
    return {
        name: _value(field, name, whole=whole)
        for name, field in schema["properties"].items()
        if whole or name in required
    }


def _value(schema: Mapping[str, Any], name: str, *, whole: bool) -> Any:
    if "const" in schema or "enum" in schema:
        return schema.get("const", next(iter(schema.get("enum", ())), None))
    kind = schema["type"]
    if kind == "object":
        return _object(schema, set(), whole=whole)
    if kind == "array":
        return [_value(schema["items"], name, whole=whole)]
    if kind in ("integer", "number"):
        return min(max(1, schema.get("minimum", 1)), schema.get("maximum", 1))
    return True if kind == "boolean" else _text(schema, name)


def _text(schema: Mapping[str, Any], name: str) -> str:
    pattern = re.compile(schema.get("pattern", ".*"))
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", 10_000)
    texts = (f"{name.removesuffix('_id')}-1", *_TEXTS, _ID) if "pattern" in schema else ("example",)
    fitting = (text for text in texts if pattern.fullmatch(text) and shortest <= len(text) <= longest)
    found = next(fitting, None)
    if found is None:
        raise ConfigurationError(
            f"{name}: no example is known of text like {schema.get('pattern')}: add one to _TEXTS in {__name__}"
        )
    return found
