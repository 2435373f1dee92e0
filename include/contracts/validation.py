"""Checks one event against its contract; accepts exactly what the Spark predicates accept."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from include.contracts import strict_json
from include.contracts.registry import Contract, load_contracts
from include.contracts.rules import (
    MASK,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_FUTURE_SECONDS,
    OLDEST_EVENT_TIME,
    SHOWN_CHARACTERS,
    Check,
    Reason,
    checks_of,
    field_name,
    is_personal,
    stage_of,
)
from include.errors import ContractViolationError
from include.names import Topic

__all__ = ["NOT_GIVEN", "Reason", "Rejection", "check", "encode"]

NOT_GIVEN: Final = b"\x00not given"
_MISSING: Final = object()
_NO_CONTRACT: Final = ""
_TIME_SEPARATORS: Final = re.compile(r"[-T:.]")


@dataclass(frozen=True)
class Rejection:
    """Why an event is refused.

    Attributes:
        stage: ``routing``, ``bytes`` or ``contract``.
        reason: Machine-readable code.
        field: Path of the field, for example ``items[0].quantity``; empty for the event as a whole.
        expected: What was asked for.
        found: What was there, shortened; masked where it is personal.
        contract: For example ``purchase.v1``; empty when none could be chosen.
    """

    stage: str
    reason: Reason
    field: str
    expected: str
    found: str
    contract: str


def check(
    value: bytes | None, topic: Topic, key: bytes | None = NOT_GIVEN, kafka_time: datetime | None = None
) -> Rejection | None:
    """Say what is wrong with a record's bytes, None when nothing is.

    Args:
        value: The record's value.
        topic: Where it was, or is to be, sent.
        key: The record's key; left out, the key is not checked.
        kafka_time: When Kafka took it (aware); without it, no event time is in the future.
    """
    versions = _contracts(topic)
    if not versions:
        return _rejection(Reason.UNKNOWN_TOPIC, "", "a topic with a contract", topic, _NO_CONTRACT)
    if value is None:
        return _rejection(Reason.MISSING_VALUE, "", "a JSON object", "nothing", _NO_CONTRACT)
    event = _decode(value)
    if isinstance(event, Rejection):
        return event
    contract = _choose(event, versions)
    if isinstance(contract, Rejection):
        return contract
    name = f"{contract.name}.v{contract.version}"
    fault = _first_fault(event, checks_of(contract), event.get("event_type"))
    if fault is not None:
        where, broken, found = fault
        return _rejection(broken.reason, where, broken.expected, MASK if broken.personal else found, name)
    return _check_time(event, kafka_time, name) or _check_key(event, key, contract, name)


def encode(event: Mapping[str, Any], topic: Topic) -> bytes:
    """The bytes to send for an event.

    Raises:
        ContractViolationError: If the event breaks its contract; names the field, masked where it is personal.
    """
    try:
        value = json.dumps(event, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise ContractViolationError(Reason.MALFORMED_JSON, "", "what JSON can hold", str(error)) from error
    rejection = check(value, topic)
    if rejection is not None:
        raise ContractViolationError(rejection.reason, rejection.field, rejection.expected, rejection.found)
    return value


@lru_cache(maxsize=16)
def _contracts(topic: str) -> dict[int, Contract]:
    return {contract.version: contract for contract in load_contracts() if contract.topic == topic}


def _rejection(reason: Reason, field: str, expected: str, found: str, contract: str) -> Rejection:
    return Rejection(stage_of(reason), reason, field, expected, found[:SHOWN_CHARACTERS], contract)


def _decode(value: bytes) -> dict[str, Any] | Rejection:
    size = f"{len(value)} bytes"
    if len(value) > MAX_BYTES:
        return _rejection(Reason.TOO_LARGE, "", f"at most {MAX_BYTES} bytes", size, _NO_CONTRACT)
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return _rejection(Reason.INVALID_UTF8, "", "UTF-8", size, _NO_CONTRACT)
    if strict_json.is_too_deep(text):
        return _rejection(Reason.TOO_DEEP, "", f"at most {MAX_DEPTH} levels", size, _NO_CONTRACT)
    try:
        event = strict_json.loads(text)
    except ValueError:
        return _rejection(Reason.MALFORMED_JSON, "", "strict JSON, no key twice", size, _NO_CONTRACT)
    if not isinstance(event, dict):
        return _rejection(Reason.WRONG_TYPE, "", "type object", size, _NO_CONTRACT)
    return event


def _choose(event: dict[str, Any], versions: dict[int, Contract]) -> Contract | Rejection:
    field, expected = "schema_version", f"one of {', '.join(map(str, versions))}"
    version = event.get(field, _MISSING)
    if version is _MISSING:
        return _rejection(Reason.MISSING_FIELD, field, expected, "nothing", _NO_CONTRACT)
    if not _is_integer(version):
        return _rejection(Reason.WRONG_TYPE, field, "type integer", _shown(version), _NO_CONTRACT)
    if version not in versions:
        return _rejection(Reason.UNKNOWN_VERSION, field, expected, _shown(version), _NO_CONTRACT)
    return versions[version]


def _first_fault(
    event: Any, checks: tuple[Check, ...], event_type: Any, prefix: str = ""
) -> tuple[str, Check, str] | None:
    for rule in checks:
        value = _at(event, rule.path)
        if rule.keyword == "required":
            if value is _MISSING and (rule.argument is None or event_type in rule.argument):
                return field_name(rule.path, prefix), rule, "nothing"
        elif value is _MISSING:
            continue
        elif rule.keyword == "each":
            for number, item in enumerate(value):
                inner = f"{field_name(rule.path, prefix)}[{number}]"
                fault = _first_fault(item, rule.argument, event_type, inner)
                if fault is not None:
                    return fault
        elif not _HOLDS[rule.keyword](value, rule.argument):
            return field_name(rule.path, prefix), rule, _shown(value)
    return None


def _at(event: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        event = event.get(name, _MISSING)
        if event is _MISSING:
            return _MISSING
    return event


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    # As JSON Schema has it, 1.0 is an integer. What is too large for a double is refused by its range.
    return _is_number(value) and (isinstance(value, int) or math.isinf(value) or value.is_integer())


def _is_time(text: str) -> bool:
    year, month, day, hour, minute, second = (int(part) for part in _TIME_SEPARATORS.split(text)[:6])
    try:
        # Python has no year 0, Java has; it is a leap year like 2000.
        datetime(year or 2000, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_TYPES: Final[dict[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "integer": _is_integer,
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
}

_HOLDS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "type": lambda value, name: _TYPES[name](value),
    "enum": lambda value, allowed: value in allowed,
    "const": lambda value, only: value == only,
    "pattern": lambda value, pattern: _compiled(pattern).fullmatch(value) is not None,
    "format": lambda value, _: _is_time(value),
    "minLength": lambda value, limit: len(value) >= limit,
    "maxLength": lambda value, limit: len(value) <= limit,
    "minimum": lambda value, limit: value >= limit,
    "maximum": lambda value, limit: value <= limit,
    "minItems": lambda value, limit: len(value) >= limit,
    "maxItems": lambda value, limit: len(value) <= limit,
}


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _check_time(event: dict[str, Any], kafka_time: datetime | None, contract: str) -> Rejection | None:
    text = event["event_time"]
    if text < OLDEST_EVENT_TIME:
        return _rejection(Reason.ANCIENT_TIMESTAMP, "event_time", f"not before {OLDEST_EVENT_TIME}", text, contract)
    if kafka_time is not None:
        latest = kafka_time + timedelta(seconds=MAX_FUTURE_SECONDS)
        if datetime.fromisoformat(text) > latest:
            expected = f"at most {MAX_FUTURE_SECONDS} s after Kafka took it"
            return _rejection(Reason.FUTURE_TIMESTAMP, "event_time", expected, text, contract)
    return None


def _check_key(event: dict[str, Any], key: bytes | None, contract: Contract, name: str) -> Rejection | None:
    field = contract.key_field
    expected = f"the key {field}"
    if key is None:
        return _rejection(Reason.MISSING_KEY, field, expected, "nothing", name)
    if key is not NOT_GIVEN and key != event[field].encode():
        personal = is_personal(contract.schema["properties"][field])
        found = MASK if personal else key.decode("utf-8", errors="replace")
        return _rejection(Reason.KEY_MISMATCH, field, expected, found, name)
    return None
