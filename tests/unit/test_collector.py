import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from include.collector.app import create_app, write_keys_of
from include.collector.messages import event_of
from include.config import Settings
from include.contracts.validation import check
from include.errors import ConfigurationError
from include.names import Topic

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
PRODUCT = {"product_id": "mug-1", "category": "Home & Garden", "quantity": 2, "price": 9.9}


def track(event: str, properties: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": event,
        "messageId": "message-0001",
        "userId": "ann",
        "timestamp": NOON.isoformat(),
        "context": {"locale": "de-DE", "sessionId": "visit-1", "device": {"id": "phone-1", "type": "ios"}},
        "properties": properties or {},
        **more,
    }


def mapped(message: dict[str, Any], late: float = 0, sent: datetime | None = None) -> tuple[Topic, dict[str, Any]]:
    found = event_of(message, NOON + timedelta(seconds=late), sent)
    assert found is not None
    return found


def refusal(topic: Topic, event: dict[str, Any]) -> str | None:
    found = check(json.dumps(event).encode(), topic)
    return None if found is None else found.field


def test_a_product_that_is_put_into_the_cart_is_an_event_of_the_visit() -> None:
    topic, event = mapped(track("Product Added", {**PRODUCT, "currency": "EUR"}))
    assert (topic, refusal(topic, event)) == (Topic.USER_EVENTS, None)
    assert event == {
        "event_id": "message-0001",
        "event_type": "add_to_cart",
        "event_time": "2026-03-10T12:00:00.000Z",
        "schema_version": 1,
        "user_id": "ann",
        "session_id": "visit-1",
        "device": {"device_id": "phone-1", "device_type": "mobile"},
        "country": "DE",
        "product_id": "mug-1",
        "category": "home-garden",
        "quantity": 2,
        "unit_price": "9.90",
        "currency": "EUR",
    }


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (track("Product Viewed", PRODUCT), "product_view"),
        (track("products searched", {"query": "mug"}), "search"),
        (track("Checkout Started"), "checkout_started"),
        ({**track(""), "type": "page", "properties": {"path": "/mugs"}}, "page_view"),
    ],
)
def test_what_visitors_do_keeps_the_contract(message: dict[str, Any], kind: str) -> None:
    topic, event = mapped(message)
    assert (topic, event["event_type"], refusal(topic, event)) == (Topic.USER_EVENTS, kind, None)


def test_an_order_adds_up_in_decimals() -> None:
    order = {"order_id": "o-1", "products": [PRODUCT], "tax": 0.1, "shipping": 0.2, "discount": 1, "currency": "EUR"}
    topic, event = mapped(track("Order Completed", {**order, "payment_method": "Visa"}))
    assert (topic, refusal(topic, event)) == (Topic.PURCHASES, None)
    assert (event["items"][0]["amount"], event["total"]) == ("19.80", "19.10")
    assert event["payment"] == {"method": "card"}
    assert mapped(track("Order Completed", {**order, "total": 50}))[1]["total"] == "50.00"


def test_a_review_is_feedback() -> None:
    topic, event = mapped(track("Product Reviewed", {"product_id": "mug-1", "rating": "5", "review_body": "Good"}))
    assert (topic, event["rating"], refusal(topic, event)) == (Topic.CUSTOMER_FEEDBACK, 5, None)


@pytest.mark.parametrize("message", [{**track(""), "type": "identify"}, track("Newsletter Opened"), {"type": "alias"}])
def test_what_has_no_place_in_the_contracts_is_left_out(message: dict[str, Any]) -> None:
    assert event_of(message, NOON, None) is None


def test_what_is_missing_is_named_by_the_contract() -> None:
    assert refusal(*mapped(track("Product Viewed"))) == "product_id"
    assert refusal(*mapped(track("Order Completed", {"order_id": "o-1"}))) == "items"
    assert refusal(*mapped(track("Order Completed", {"order_id": "o-1", "products": [{"price": "cheap"}]}))) is not None


def test_a_wrong_clock_is_corrected_and_the_way_of_a_request_is_not() -> None:
    clock_is_late = NOON - timedelta(hours=2)
    message = track("Checkout Started", timestamp=(clock_is_late - timedelta(seconds=30)).isoformat())
    times = {mapped(message, late, clock_is_late)[1]["event_time"] for late in (0, 0.4, 7)}
    assert times == {"2026-03-10T11:59:30.000Z"}
    in_time = track("Checkout Started", timestamp=NOON.isoformat())
    assert mapped(in_time, 3, NOON)[1]["event_time"] == "2026-03-10T12:00:00.000Z"


def test_ids_that_contracts_do_not_take_are_replaced_always_by_the_same() -> None:
    message = track("Checkout Started", messageId="ajs next/1", userId="ann@shop example")
    first, again = mapped(message)[1], mapped(message)[1]
    assert (first["event_id"], first["user_id"]) == (again["event_id"], again["user_id"])
    assert refusal(Topic.USER_EVENTS, first) is None


def test_who_says_of_no_visit_is_in_one_by_the_half_hour() -> None:
    message = track("Checkout Started", context={}, userId=None, anonymousId="anonymous-1")
    visits = {
        mapped({**message, "timestamp": (NOON + timedelta(minutes=at)).isoformat()})[1]["session_id"]
        for at in (0, 9, 31)
    }
    assert len(visits) == 2
    assert mapped(message)[1]["country"] == "ZZ"


def test_beyond_this_machine_a_write_key_is_needed() -> None:
    exposed = Settings(_env_file=None, platform_bind_host="0.0.0.0")
    with pytest.raises(ConfigurationError, match="COLLECTOR_WRITE_KEYS is not set"):
        create_app(exposed)
    keyed = exposed.model_copy(update={"collector_write_keys": SecretStr("one, two")})
    assert write_keys_of(keyed) == ("one", "two")
