"""One person, and what takes their place: the same pseudonym everywhere, so that counts of people stay right."""

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from include.contracts.columns import column_name, leaves
from include.contracts.registry import contracts_by_topic, load_contracts
from include.names import Topic

# Takes the place of a text that identifies a person; keeps every contract's pattern of ids.
ERASED: Final = "erased"


@dataclass(frozen=True)
class Person:
    """Who is erased.

    Attributes:
        user_id: As events carry it.
        pseudonym: Random, and noted nowhere beside the id: nothing leads back.
    """

    user_id: str
    pseudonym: str

    def in_text(self, text: str) -> str:
        """A text with the pseudonym wherever the id stands as a word of its own."""
        return _word(self.user_id).sub(self.pseudonym, text)

    def is_named_in(self, text: str) -> bool:
        """Whether the id stands in a text as a word of its own."""
        return _word(self.user_id).search(text) is not None


@lru_cache(maxsize=8)
def _word(user_id: str) -> re.Pattern[str]:
    # Not within a longer id, a number or a time: an id may be as short as one digit.
    return re.compile(rf"""(?<![^\s,;"'(=/]){re.escape(user_id)}(?![^\s,;"').?&/])""")


def person(user_id: str) -> Person:
    """A person with a new pseudonym."""
    return Person(user_id, f"{ERASED}-{secrets.token_hex(12)}")


@lru_cache(maxsize=1)
def personal_columns() -> dict[str, str]:
    """Columns of tables, and fields of indices, that identify a person, with their Spark types; ``user_id`` too."""
    return {
        column_name(leaf.path): leaf.spark_type
        for contract in load_contracts()
        for leaf in leaves(contract.schema)
        if _field(contract.schema, leaf.path).get("x-personal")
    }


def _field(schema: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any]:
    for name in path:
        schema = schema["properties"][name]
    return schema


def erased_event(value: bytes | None, topic: str, who: Person) -> bytes | None:
    """The bytes of one of the person's records without the person; an event that is valid stays valid.

    What is no JSON object has no fields to choose from: nothing of it is kept.
    """
    if value is None:
        return None
    try:
        event = json.loads(value)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict):
        return None
    known = contracts_by_topic()[Topic(topic)].schema
    return json.dumps(_erased(event, known, who), ensure_ascii=False, separators=(",", ":")).encode()


def _erased(node: Any, schema: Mapping[str, Any] | None, who: Person) -> Any:
    if isinstance(node, dict):
        fields = (schema or {}).get("properties", {})
        required = (schema or {}).get("required", ())
        kept = {}
        for name, value in node.items():
            field = fields.get(name)
            if field is not None and field.get("x-personal") and value != who.user_id:
                if name in required or field["type"] == "string":
                    kept[name] = ERASED if isinstance(value, str) else None
                continue
            is_formed = field is not None and bool({"pattern", "enum", "format"} & set(field))
            # What has a form of its own and is not personal says nothing about a person.
            kept[who.in_text(name)] = value if is_formed and value != who.user_id else _erased(value, field, who)
        return {name: value for name, value in kept.items() if value is not None}
    if isinstance(node, list):
        return [_erased(item, (schema or {}).get("items"), who) for item in node]
    return who.in_text(node) if isinstance(node, str) else node


def erased_document(source: Mapping[str, Any], who: Person) -> dict[str, Any]:
    """A document of an index without the person."""
    columns = personal_columns()
    kept: dict[str, Any] = {}
    for name, value in source.items():
        if name in columns and value != who.user_id:
            if isinstance(value, str):
                kept[name] = ERASED
        else:
            kept[name] = _erased(value, None, who)
    return kept
