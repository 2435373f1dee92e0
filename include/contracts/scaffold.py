"""Adds an event type to the platform: to a family that exists, or as a new family with its own topic and table."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from include.config import PROJECT_ROOT
from include.contracts.layout import text_of
from include.contracts.registry import CONTRACTS_DIR, Contract, load_contracts
from include.contracts.topics import with_topic, with_topic_in_picture
from include.errors import ConfigurationError
from include.names import RAW_TOPICS

NAMES_FILE: Final = PROJECT_ROOT / "include" / "names.py"
PICTURE: Final = PROJECT_ROOT / "docs" / "images" / "architecture.svg"
SUITES: Final = PROJECT_ROOT / "expectations"

_MONEY: Final = {"type": "string", "pattern": "^(0|[1-9][0-9]{0,11})\\.[0-9]{2}$", "x-decimal": [18, 2]}
KINDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    "person": {"type": "string", "pattern": "^[A-Za-z0-9_.@-]{1,64}$", "x-personal": True},
    "text": {"type": "string", "maxLength": 500},
    "integer": {"type": "integer", "minimum": 0, "maximum": 1_000_000_000},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "money": _MONEY,
    "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    "country": {"type": "string", "pattern": "^[A-Z]{2}$"},
}
_ENVELOPE: Final = ("event_id", "event_type", "event_time", "schema_version")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{1,62}")
_TOPIC: Final = re.compile(r"[a-z][a-z-]{1,62}")


@dataclass(frozen=True)
class NewFamily:
    """What a family has that is not there yet.

    Attributes:
        name: Its name, for example ``wishlist``.
        topic: Its topic, for example ``wishlists``.
        key: The field whose value is the Kafka key.
    """

    name: str
    topic: str
    key: str


def in_family(family: str, event_type: str, fields: Mapping[str, str], needs: Sequence[str]) -> dict[Path, str]:
    """The files that an event type of a family changes, with their new text.

    Args:
        family: A family that exists; its newest contract gets the type, since that breaks no event that is valid.
        event_type: The new type.
        fields: New fields with their kinds, see ``KINDS``.
        needs: Fields that an event of the type cannot be without.

    Raises:
        ConfigurationError: If a name is taken, unknown or none; says which are known.
    """
    contract = _newest(family)
    _require(_NAME, "event type", event_type)
    schema: dict[str, Any] = json.loads(json.dumps(dict(contract.schema)))
    types: list[str] = schema["properties"]["event_type"]["enum"]
    if taken := next((one for one in load_contracts() if event_type in _types(one)), None):
        raise ConfigurationError(f"{event_type} is an event type of {taken.name} already: choose another name")
    types.append(event_type)
    _add_fields(schema, fields, needs)
    required = [name for name in needs if name not in schema["required"]]
    if required:
        rule = {"if": {"properties": {"event_type": {"enum": [event_type]}}}, "then": {"required": required}}
        schema.setdefault("allOf", []).append(rule)
    return {_path(contract.name, contract.version): text_of(schema)}


def as_family(new: NewFamily, event_type: str, fields: Mapping[str, str], needs: Sequence[str]) -> dict[Path, str]:
    """The files that an event type of a new family changes or makes, with their text.

    Args:
        new: The family.
        event_type: Its first type.
        fields: Its fields beside the envelope, with their kinds; the key's field is one of them or of another family.
        needs: Fields that an event cannot be without, beside the envelope and the key.

    Raises:
        ConfigurationError: If a name is taken, unknown or none; says which are known.
    """
    _require(_NAME, "event type", event_type)
    _require(_NAME, "family", new.name)
    _require(_TOPIC, "topic", new.topic)
    if new.name in {contract.name for contract in load_contracts()} or new.topic in set(RAW_TOPICS):
        raise ConfigurationError(f"{new.name} or {new.topic} is there already: add the type with --family {new.name}")
    known = _known_fields()
    title = new.name.replace("_", " ").capitalize()
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": f"{title}: say here what these events tell.",
        "x-topic": new.topic,
        "x-key": new.key,
        "type": "object",
        "required": [*_ENVELOPE, new.key],
        "properties": {name: dict(known[name]) for name in _ENVELOPE},
    }
    schema["properties"]["event_type"] = {"type": "string", "enum": [event_type], "description": "What happened."}
    schema["properties"]["schema_version"] |= {"const": 1}
    given = {new.key: "", **{name: "" for name in needs if name in known}, **fields}
    _add_fields(schema, given, needs)
    schema["required"] += [name for name in needs if name not in schema["required"]]
    table = new.topic.replace("-", "_")
    return {
        _path(new.name, 1): text_of(schema),
        NAMES_FILE: with_topic(NAMES_FILE.read_text(encoding="utf-8"), new.topic),
        PICTURE: with_topic_in_picture(PICTURE.read_text(encoding="utf-8"), new.topic),
        SUITES / f"silver.{table}.json": _suite(table, title),
    }


def _require(shape: re.Pattern[str], what: str, name: str) -> None:
    if not shape.fullmatch(name):
        raise ConfigurationError(f"{what} {name!r}: write it as {shape.pattern}")


def _newest(family: str) -> Contract:
    versions = [contract for contract in load_contracts() if contract.name == family]
    if not versions:
        known = ", ".join(sorted({contract.name for contract in load_contracts()}))
        raise ConfigurationError(f"no family {family!r}: choose one of {known}, or give --topic for a new one")
    return versions[-1]


def _types(contract: Contract) -> list[str]:
    types: list[str] = contract.schema["properties"]["event_type"]["enum"]
    return types


def _path(family: str, version: int) -> Path:
    return CONTRACTS_DIR / f"{family}.v{version}.json"


def _known_fields() -> dict[str, Mapping[str, Any]]:
    return {name: field for contract in load_contracts() for name, field in contract.schema["properties"].items()}


def _add_fields(schema: dict[str, Any], fields: Mapping[str, str], needs: Sequence[str]) -> None:
    known, properties = _known_fields(), schema["properties"]
    for name, kind in fields.items():
        _require(_NAME, "field", name)
        if name in properties:
            raise ConfigurationError(f"field {name} is in the contract already: leave its --field out")
        if not kind and name not in known:
            raise ConfigurationError(
                f"field {name} is new: give it a kind, --field {name}:KIND with {', '.join(KINDS)}"
            )
        if kind and kind not in KINDS:
            raise ConfigurationError(f"field {name}: no kind {kind!r}, choose one of {', '.join(KINDS)}")
        # What another family has already means the same everywhere: one column holds both.
        made = known[name] if name in known else {**KINDS[kind], "description": f"{name}: say here what it is."}
        properties[name] = dict(made)
    if unknown := [name for name in needs if name not in properties]:
        raise ConfigurationError(f"--needs {unknown[0]}: the contract has no such field, add --field {unknown[0]}:KIND")


def _suite(table: str, title: str) -> str:
    day = {"day_is_of_event_time": "event_date = to_date(event_time)"}
    rule = {
        "type": "expect_column_values_to_be_in_set",
        "kwargs": {"column": "day_is_of_event_time", "value_set": [True]},
        "about": "An event in another day's partition is missed by that day's totals.",
    }
    body = {"table": f"silver.{table}", "about": f"{title}: each event once.", "columns": day, "rules": [rule]}
    return json.dumps(body, indent=2) + "\n"
