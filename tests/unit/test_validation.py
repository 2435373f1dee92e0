import json
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators

from include.contracts.registry import load_contracts
from include.contracts.validation import Reason, check, encode
from include.errors import ContractViolationError
from include.names import Topic
from tests.records import random_record

REVIEW: dict[str, Any] = {
    "event_id": "review-0001",
    "event_type": "review_submitted",
    "event_time": "2026-03-01T10:00:00.000Z",
    "schema_version": 1,
    "user_id": "ann@example.org",
    "product_id": "p1",
    "rating": 5,
}
VIEW: dict[str, Any] = {
    "event_id": "view-00001",
    "event_type": "add_to_cart",
    "event_time": "2026-03-01T10:00:00.000Z",
    "schema_version": 1,
    "user_id": "ann@example.org",
    "session_id": "s1",
    "device": {"device_id": "d1", "device_type": "mobile"},
    "country": "DE",
    "product_id": "p1",
    "quantity": 1,
}
ORDER: dict[str, Any] = {
    "event_id": "order-0001",
    "event_type": "order_placed",
    "event_time": "2026-03-01T10:00:00.000Z",
    "schema_version": 1,
    "order_id": "o1",
    "user_id": "ann@example.org",
    "items": [{"product_id": "p1", "category": "shoes", "quantity": 2, "amount": "20.00"}],
    "currency": "EUR",
    "total": "20.00",
    "payment": {"method": "card", "card_id": "c1"},
    "shipping_country": "DE",
    "billing_country": "DE",
    "device": {"device_id": "d1", "device_type": "mobile"},
}
KAFKA_TIME = datetime(2026, 3, 1, 10, 0, 1, tzinfo=UTC)


def refusal(value: bytes | None, topic: Topic = Topic.CUSTOMER_FEEDBACK, key: bytes | None = b"p1") -> tuple[str, str]:
    rejection = check(value, topic, key, KAFKA_TIME)
    assert rejection is not None
    return rejection.reason, rejection.field


def changed(event: dict[str, Any], **fields: Any) -> bytes:
    return json.dumps({**event, **fields}).encode()


def without(event: dict[str, Any], field: str) -> bytes:
    return json.dumps({name: value for name, value in event.items() if name != field}).encode()


def test_a_valid_event_of_each_family_passes() -> None:
    assert check(changed(REVIEW), Topic.CUSTOMER_FEEDBACK, b"p1", KAFKA_TIME) is None
    assert check(changed(VIEW), Topic.USER_EVENTS, b"ann@example.org", KAFKA_TIME) is None
    assert check(changed(ORDER), Topic.PURCHASES, b"ann@example.org", KAFKA_TIME) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Reason.MISSING_VALUE),
        (b" " * (1024 * 1024 + 1), Reason.TOO_LARGE),
        (b'{"text": "\xff"}', Reason.INVALID_UTF8),
        (b'{"text": "\xed\xa0\x80"}', Reason.INVALID_UTF8),
        (b"[" * 101 + b"]" * 101, Reason.TOO_DEEP),
        (b"", Reason.MALFORMED_JSON),
        (b"\xef\xbb\xbf{}", Reason.MALFORMED_JSON),
        (b"{} {}", Reason.MALFORMED_JSON),
        (b'{"rating": NaN}', Reason.MALFORMED_JSON),
        (b'{"rating": -Infinity}', Reason.MALFORMED_JSON),
        (b'{"rating": 1, "r\\u0061ting": 1}', Reason.MALFORMED_JSON),
        (b'{"text": "\\ud800"}', Reason.MALFORMED_JSON),
        (b'{"n": ' + b"1" * 1001 + b"}", Reason.MALFORMED_JSON),
        (b"[1]", Reason.WRONG_TYPE),
        (b"null", Reason.WRONG_TYPE),
    ],
)
def test_bytes_that_are_no_strict_json_object_are_refused(value: bytes | None, reason: Reason) -> None:
    assert refusal(value) == (reason, "")


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"schema_version": 99}, Reason.UNKNOWN_VERSION, "schema_version"),
        ({"schema_version": "1"}, Reason.WRONG_TYPE, "schema_version"),
        ({"event_type": "unheard_of"}, Reason.UNKNOWN_EVENT_TYPE, "event_type"),
        ({"rating": 6}, Reason.OUT_OF_RANGE, "rating"),
        ({"rating": 10**400}, Reason.OUT_OF_RANGE, "rating"),
        ({"rating": 10**30}, Reason.OUT_OF_RANGE, "rating"),
        ({"rating": 1.5}, Reason.WRONG_TYPE, "rating"),
        ({"rating": True}, Reason.WRONG_TYPE, "rating"),
        ({"text": None}, Reason.WRONG_TYPE, "text"),
        ({"text": "x" * 5001}, Reason.WRONG_LENGTH, "text"),
        ({"language": "de\n"}, Reason.BAD_FORMAT, "language"),
        ({"event_time": "2024-02-30T10:00:00.000Z"}, Reason.BAD_TIMESTAMP, "event_time"),
        ({"event_time": "2026-03-01T10:00:00Z"}, Reason.BAD_FORMAT, "event_time"),
        ({"event_time": "1989-12-31T23:59:59.999Z"}, Reason.ANCIENT_TIMESTAMP, "event_time"),
        ({"event_time": "0000-02-29T00:00:00.000Z"}, Reason.ANCIENT_TIMESTAMP, "event_time"),
        ({"event_time": "2026-03-01T10:10:01.001Z"}, Reason.FUTURE_TIMESTAMP, "event_time"),
        ({"product_id": "p2"}, Reason.KEY_MISMATCH, "product_id"),
    ],
)
def test_a_field_that_breaks_the_contract_is_named(fields: dict[str, Any], reason: Reason, field: str) -> None:
    assert refusal(changed(REVIEW, **fields)) == (reason, field)


def test_whole_numbers_may_be_written_as_decimals() -> None:
    value = changed(REVIEW).replace(b'"rating": 5', b'"rating": 5.0')
    assert check(value, Topic.CUSTOMER_FEEDBACK, b"p1", KAFKA_TIME) is None


def test_a_missing_field_is_named() -> None:
    assert refusal(without(REVIEW, "rating")) == (Reason.MISSING_FIELD, "rating")


def test_a_field_that_an_event_type_needs_is_named() -> None:
    assert refusal(without(VIEW, "quantity"), Topic.USER_EVENTS) == (Reason.MISSING_FIELD, "quantity")


def test_a_fault_within_an_item_names_the_item() -> None:
    items = [*ORDER["items"], {**ORDER["items"][0], "amount": "1,50"}]
    assert refusal(changed(ORDER, items=items), Topic.PURCHASES) == (Reason.BAD_FORMAT, "items[1].amount")


def test_a_missing_key_is_refused() -> None:
    assert refusal(changed(REVIEW), key=None) == (Reason.MISSING_KEY, "product_id")


def test_personal_values_are_masked() -> None:
    rejection = check(changed(REVIEW, user_id="ann example"), Topic.CUSTOMER_FEEDBACK)
    assert rejection is not None
    assert (rejection.field, rejection.found, rejection.contract) == ("user_id", "***", "customer_feedback.v1")


def test_a_topic_without_contract_is_refused() -> None:
    assert refusal(b"{}", Topic.DEAD_LETTER) == (Reason.UNKNOWN_TOPIC, "")


def test_encode_gives_the_bytes_of_a_valid_event() -> None:
    assert json.loads(encode(REVIEW, Topic.CUSTOMER_FEEDBACK)) == REVIEW


def test_encode_refuses_an_event_that_breaks_its_contract() -> None:
    with pytest.raises(ContractViolationError, match="out_of_range at rating: expected at most 5, found 7"):
        encode({**REVIEW, "rating": 7}, Topic.CUSTOMER_FEEDBACK)


def strict_pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """As ECMAScript has it: ``$`` is the end of the text."""
    if validator.is_type(instance, "string") and re.search(pattern[:-1] + r"\Z", instance) is None:
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


Independent = validators.extend(Draft202012Validator, {"pattern": strict_pattern})


def is_valid_for_jsonschema(event: Any, topic: str) -> bool:
    schemas = [contract.schema for contract in load_contracts() if contract.topic == topic]
    valid = any(Independent(dict(schema), format_checker=FormatChecker()).is_valid(event) for schema in schemas)
    return valid and event["event_time"] >= "1990"


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_the_jsonschema_package_agrees_on_mutated_events(seed: int) -> None:
    rng = random.Random(seed)
    accepted = 0
    for _ in range(200):
        record = random_record(rng)
        if record.value is None or len(record.value) > 1024 * 1024:
            continue
        rejection = check(record.value, Topic(record.topic))
        if rejection is None or rejection.stage == "contract":
            event = json.loads(record.value)
            assert (rejection is None) == is_valid_for_jsonschema(event, record.topic), (record, rejection)
            accepted += rejection is None
    assert 20 < accepted < 180
