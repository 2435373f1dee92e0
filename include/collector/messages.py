"""Messages of Segment's HTTP tracking API as events of the contracts.

Names and fields are those of its e-commerce specification (``Product Viewed``, ``Order Completed``, …). What has no
place in the contracts (``identify``, other names of events) is taken and left out, as other receivers do.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from include.collector.fields import (
    Event,
    Message,
    category_of,
    country_of,
    decimal_of,
    device_of,
    hashed,
    id_of,
    mapping_of,
    money_of,
    payment_of,
    text_of,
    without_nothing,
)
from include.names import Topic

_USER: Final = re.compile(r"[A-Za-z0-9_.@-]{1,64}")
_EVENT_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_VISIT: Final = timedelta(minutes=30)
_CLOCK_STEP: Final = timedelta(seconds=20)
_USER_EVENTS: Final = {
    "product viewed": "product_view",
    "product added": "add_to_cart",
    "product removed": "remove_from_cart",
    "checkout started": "checkout_started",
    "products searched": "search",
    "signed in": "login",
}
_ORDERS: Final = {"order completed": "order_placed", "order refunded": "order_returned"}
_REVIEW: Final = "product reviewed"


def happened_at(message: Message, received: datetime, sent: datetime | None) -> datetime:
    """When it happened, by the receiver's clock: a sender's clock may be wrong, the time since then is not.

    Segment's own rule is received - (sent - timestamp). The way that a request takes is in it, so a message that is
    sent twice would have two times: the sender's clock is corrected by steps of twenty seconds, and trusted below.
    """
    stated = as_time(message.get("timestamp")) or as_time(message.get("originalTimestamp"))
    if stated is None:
        return received
    wrong = timedelta(0) if sent is None else received - sent
    return stated + _CLOCK_STEP * round(wrong / _CLOCK_STEP)


def as_time(text: object) -> datetime | None:
    """A time with its zone; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def event_of(message: Message, received: datetime, sent: datetime | None) -> tuple[Topic, Event] | None:
    """The event of a message and its topic; None for what has no place in the contracts.

    What is missing or wrong in the message is so in the event, too: the contract says what it is.
    """
    name = str(message.get("event", "")).strip().lower()
    kind = message.get("type")
    properties = mapping_of(message.get("properties"))
    time = happened_at(message, received, sent)
    if kind in ("page", "screen"):
        return Topic.USER_EVENTS, _user_event("page_view", message, properties, time)
    if kind != "track":
        return None
    if name in _USER_EVENTS:
        return Topic.USER_EVENTS, _user_event(_USER_EVENTS[name], message, properties, time)
    if name in _ORDERS:
        return Topic.PURCHASES, _order(_ORDERS[name], message, properties, time)
    if name == _REVIEW:
        return Topic.CUSTOMER_FEEDBACK, _review(message, properties, time)
    return None


def _user_event(kind: str, message: Message, properties: Message, time: datetime) -> Event:
    page = mapping_of(mapping_of(message.get("context")).get("page"))
    return without_nothing(
        {
            **_envelope(kind, message, time),
            "user_id": _visitor(message),
            "session_id": _session(message, properties, time),
            "device": device_of(message),
            "country": country_of(message, properties, "country"),
            "page": text_of(properties.get("path") or page.get("path"), 500),
            "query": text_of(properties.get("query"), 200),
            **_product(properties),
            "currency": properties.get("currency"),
        }
    )


def _order(kind: str, message: Message, properties: Message, time: datetime) -> Event:
    products = properties.get("products")
    lines = [_line(mapping_of(product)) for product in products] if isinstance(products, list) else None
    total = properties.get("total", properties.get("value"))
    return without_nothing(
        {
            **_envelope(kind, message, time),
            "order_id": id_of(properties.get("order_id")),
            "user_id": _visitor(message),
            "session_id": _session(message, properties, time),
            "items": lines,
            "currency": properties.get("currency"),
            **{name: money_of(properties.get(name)) for name in ("discount", "tax", "shipping")},
            "total": money_of(total) if total is not None else _sum_of(lines, properties),
            "payment": {"method": payment_of(properties.get("payment_method"))},
            "shipping_country": country_of(message, properties, "shipping_country"),
            "billing_country": country_of(message, properties, "billing_country"),
            "device": device_of(message),
        }
    )


def _review(message: Message, properties: Message, time: datetime) -> Event:
    rating = properties.get("rating")
    return without_nothing(
        {
            **_envelope("review_submitted", message, time),
            "user_id": _visitor(message),
            "product_id": id_of(properties.get("product_id")),
            "order_id": id_of(properties.get("order_id")),
            "rating": int(rating) if isinstance(rating, str) and rating.isdigit() else rating,
            "text": text_of(properties.get("review_body"), 5000),
        }
    )


def _envelope(kind: str, message: Message, time: datetime) -> Event:
    moment = time.astimezone(UTC)
    return {
        "event_id": _event_id(message),
        "event_type": kind,
        "event_time": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
        "schema_version": 1,
    }


def _event_id(message: Message) -> str | None:
    """The message's own id: with it, what an SDK sends again counts once."""
    given = message.get("messageId")
    if not isinstance(given, str) or not given:
        return None
    return given if _EVENT_ID.fullmatch(given) else hashed(given)


def _visitor(message: Message) -> str | None:
    given = message.get("userId") or message.get("anonymousId")
    if given is None:
        return None
    return str(given) if _USER.fullmatch(str(given)) else hashed(str(given))


def _session(message: Message, properties: Message, time: datetime) -> str | None:
    given = mapping_of(message.get("context")).get("sessionId") or properties.get("session_id")
    if given is not None:
        return id_of(given)
    who = _visitor(message)
    # Without one, what somebody does within the same half hour is a visit.
    return None if who is None else hashed(f"{who}/{int(time.timestamp() // _VISIT.total_seconds())}")


def _product(properties: Message) -> Event:
    quantity, price = properties.get("quantity", 1), properties.get("price")
    name = properties.get("product_id") or properties.get("sku")
    if name is None:
        return {}
    return {
        "product_id": id_of(name),
        "category": category_of(properties),
        "quantity": quantity,
        "unit_price": None if price is None else money_of(price),
    }


def _line(product: Message) -> Event:
    quantity, price = product.get("quantity", 1), product.get("price")
    one = decimal_of(price)
    amount = one * quantity if one is not None and isinstance(quantity, int) else None
    return without_nothing(
        {
            "product_id": id_of(product.get("product_id") or product.get("sku")),
            "category": category_of(product) or "unknown",
            "quantity": quantity,
            "unit_price": money_of(price),
            "amount": money_of(amount),
        }
    )


def _sum_of(lines: list[Event] | None, properties: Message) -> str | None:
    amounts = [decimal_of(line.get("amount")) for line in lines or ()]
    known = [amount for amount in amounts if amount is not None]
    if not known or len(known) < len(amounts):
        return None
    added = [decimal_of(properties.get(name)) or Decimal(0) for name in ("tax", "shipping")]
    return f"{sum(known) + sum(added) - (decimal_of(properties.get('discount')) or Decimal(0)):.2f}"
