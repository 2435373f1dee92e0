"""Breaks the bytes of a valid event in one of the ways that shops break them."""

import json
import random
from collections.abc import Callable
from typing import Any, Final

from include.contracts.registry import contracts_by_topic
from include.names import Topic
from include.simulator.events import Event, Fault

Document = dict[str, Any]

_MISSPELT: Final = {
    Topic.USER_EVENTS: ("user_id", "a user with spaces"),
    Topic.PURCHASES: ("total", "12.5"),
    Topic.INVENTORY_UPDATES: ("warehouse_id", "Lager 1"),
    Topic.CUSTOMER_FEEDBACK: ("product_id", ""),
}


def break_event(event: Event, rng: random.Random) -> None:
    """Break the event's key or replace its bytes by broken ones, and note how."""
    fault = _FAULTS[int(rng.random() * len(_FAULTS))]
    event.fault = fault
    if fault in _RECORD_FAULTS:
        _RECORD_FAULTS[fault](event)
        return
    value = event.value or b""
    if fault in _BYTE_FAULTS:
        event.value = _BYTE_FAULTS[fault](value)
        return
    document = json.loads(value)
    _DOCUMENT_FAULTS[fault](document, event.topic, rng)
    event.value = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _no_value(event: Event) -> None:
    event.value = None


def _no_key(event: Event) -> None:
    event.key = None


def _another_key(event: Event) -> None:
    event.key = b"another-key"


def _missing_field(document: Document, topic: Topic, rng: random.Random) -> None:
    required = contracts_by_topic()[topic].schema["required"]
    del document[required[int(rng.random() * len(required))]]


def _wrong_type(document: Document, _topic: Topic, rng: random.Random) -> None:
    choices: tuple[tuple[str, Any], ...] = (("event_time", 852076800), ("schema_version", "1"), ("event_id", None))
    name, value = choices[int(rng.random() * len(choices))]
    document[name] = value


def _out_of_range(document: Document, topic: Topic, _rng: random.Random) -> None:
    if topic is Topic.USER_EVENTS:
        document["latitude"] = 123.4
    elif topic is Topic.PURCHASES:
        document["items"][0]["quantity"] = 0
    elif topic is Topic.INVENTORY_UPDATES:
        name = "level" if "level" in document else "delta"
        document[name] = -2_000_000_000
    else:
        document["rating"] = 6


def _bad_pattern(document: Document, topic: Topic, _rng: random.Random) -> None:
    name, value = _MISSPELT[topic]
    document[name] = value


def _setting(name: str, value: object) -> Callable[[Document, Topic, random.Random], None]:
    def apply(document: Document, _topic: Topic, _rng: random.Random) -> None:
        document[name] = value

    return apply


_RECORD_FAULTS: Final[dict[Fault, Callable[[Event], None]]] = {
    Fault.MISSING_VALUE: _no_value,
    Fault.MISSING_KEY: _no_key,
    Fault.KEY_MISMATCH: _another_key,
}
_BYTE_FAULTS: Final[dict[Fault, Callable[[bytes], bytes]]] = {
    Fault.MALFORMED_JSON: lambda value: value[: len(value) // 2],
    Fault.INVALID_UTF8: lambda value: value.replace(b'"event_type":"', b'"event_type":"\xff', 1),
    Fault.NOT_AN_OBJECT: lambda value: b"[" + value + b"]",
    Fault.EMPTY: lambda _value: b"",
    Fault.DUPLICATE_KEY: lambda value: value[:-1] + b',"event_type":"page_view"}',
    Fault.NOT_A_NUMBER: lambda value: value[:-1] + b',"latitude":NaN}',
}
_DOCUMENT_FAULTS: Final[dict[Fault, Callable[[Document, Topic, random.Random], None]]] = {
    Fault.MISSING_FIELD: _missing_field,
    Fault.WRONG_TYPE: _wrong_type,
    Fault.UNKNOWN_EVENT_TYPE: _setting("event_type", "teleported"),
    Fault.UNKNOWN_VERSION: _setting("schema_version", 99),
    Fault.OUT_OF_RANGE: _out_of_range,
    Fault.BAD_PATTERN: _bad_pattern,
    Fault.TOO_LONG: _setting("event_id", "x" * 65),
    Fault.FUTURE_TIME: _setting("event_time", "2999-01-01T00:00:00.000Z"),
    Fault.ANCIENT_TIME: _setting("event_time", "1970-01-01T00:00:00.000Z"),
    Fault.IMPOSSIBLE_DATE: _setting("event_time", "2026-02-30T12:00:00.000Z"),
}
_FAULTS: Final = (*_RECORD_FAULTS, *_BYTE_FAULTS, *_DOCUMENT_FAULTS)
