"""Records of every kind for the validators: valid ones, and ones broken in many ways, from a seeded random source."""

import copy
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from include.names import RAW_TOPICS, Topic

Document = dict[str, Any]

ENVELOPE: Document = {"event_id": "event-0001", "event_time": "2026-03-01T10:00:00.000Z", "schema_version": 1}
DEVICE: Document = {"device_id": "d1", "device_type": "mobile"}
LINE: Document = {"product_id": "p1", "category": "shoes", "quantity": 2, "amount": "20.00"}
CART: Document = {
    **ENVELOPE,
    "event_type": "add_to_cart",
    "user_id": "ann@example.org",
    "session_id": "s1",
    "device": DEVICE,
    "country": "DE",
    "latitude": 52.5,
    "longitude": -13,
    "product_id": "p1",
    "category": "shoes",
    "quantity": 1,
    "unit_price": "10.00",
    "currency": "EUR",
}
SEARCH: Document = {
    **ENVELOPE,
    "event_type": "search",
    "user_id": "ann@example.org",
    "session_id": "s1",
    "device": DEVICE,
    "country": "DE",
    "query": "Schuhe größe 42 😀",
}
ORDER: Document = {
    **ENVELOPE,
    "event_type": "order_placed",
    "order_id": "o1",
    "user_id": "ann@example.org",
    "items": [LINE, {**LINE, "product_id": "p2", "unit_price": "10.00"}],
    "currency": "EUR",
    "discount": "0.00",
    "total": "40.00",
    "payment": {"method": "card", "card_id": "c1"},
    "shipping_country": "DE",
    "billing_country": "FR",
    "device": DEVICE,
}
STOCK: Document = {
    **ENVELOPE,
    "event_type": "stock_level",
    "warehouse_id": "w1",
    "product_id": "p1",
    "level": 1_000_000_000,
    "reason": "count",
}
REVIEW: Document = {
    **ENVELOPE,
    "event_type": "review_submitted",
    "user_id": "ann@example.org",
    "product_id": "p1",
    "rating": 5,
    "text": "Good",
    "language": "en",
}
KAFKA_TIME = datetime(2026, 3, 1, 10, 0, 1, tzinfo=UTC)
EXAMPLES: tuple[tuple[Topic, str, Document], ...] = (
    (Topic.USER_EVENTS, "user_id", CART),
    (Topic.USER_EVENTS, "user_id", SEARCH),
    (Topic.PURCHASES, "user_id", ORDER),
    (Topic.INVENTORY_UPDATES, "product_id", STOCK),
    (Topic.CUSTOMER_FEEDBACK, "product_id", REVIEW),
)

VALUES: tuple[Any, ...] = (
    *(None, True, 0, 1, 5, 6, -1, 1.0, 1.5, 90, 90.5, -180.0, 10**9, 10**9 + 1, 2**31, 2**63, 10**30, 10**400, 1e308),
    *(
        "",
        "1",
        "null",
        "a b",
        "DE\n",
        "DE",
        "\u2028",
        "é" * 64,
        "😀" * 200,
        "😀" * 201,
        "x" * 5001,
        'a "quote" \\',
        "\x7f",
    ),
    *("order_placed", "stock_delta", "search", "remove_from_cart", "teleported", "card", "10.00", "010.00", "1e3", "٣"),
    *("2024-02-30T10:00:00.000Z", "2024-02-29T23:59:59.999Z", "2026-03-01T24:00:00.000Z", "2026-03-01T10:00:60.000Z"),
    *("1989-12-31T23:59:59.999Z", "0000-01-01T00:00:00.000Z", "2026-03-01T10:10:01.000Z", "2026-03-01T10:10:01.001Z"),
    *("2026-03-01T10:00:00Z", "2026-03-01 10:00:00.000Z", "9999-12-31T23:59:59.999Z", "0000-02-30T00:00:00.000Z"),
    *(
        [],
        [1],
        {},
        [None],
        {"a": [None, "x"]},
        [LINE],
        [LINE, None],
        [LINE] * 200,
        [LINE] * 201,
        [{**LINE, "unit_price": 1}],
    ),
    *(
        [LINE, {**LINE, "unit_price": None}],
        [{**LINE, "quantity": 1.0}, {**LINE, "quantity": 0}],
        [{"product_id": "p"}],
    ),
    *(
        {**DEVICE, "more": 1},
        {"device_id": "d1"},
        {**DEVICE, "device_type": "fridge"},
        {"method": "cash"},
        {"method": 1},
    ),
)
NUMBERS = (
    *("1.0", "1e0", "10E-1", "-0", "-0.0", "1e400", "-1e400", "1.00000000000000000000000000000000000000000001", "5e0"),
    *(
        "1" * 1000,
        "1" * 1001,
        "0." + "1" * 999,
        "0." + "1" * 1000,
        "0.00" + "1" * 999,
        "0." + "1" * 1000 + "e1",
        "01",
        "+1",
        ".5",
        "5.",
        "NaN",
        "-Infinity",
        "0x1",
        "1e",
    ),
    *("99999999999999999999", "1e-400", "5.000", "100e-2", "1.0000000000000000000000000000000000001"),
)
STRANGE = (
    *(
        '"\\ud800"',
        '"\\udc00\\ud800"',
        '"\\ud83d\\ude00"',
        '"\\u0000"',
        '"\\u0044E"',
        '"\t"',
        '"\\x"',
        "'DE'",
        "nul",
        "null",
    ),
    *(
        "[" * 98 + "]" * 98,
        "[" * 99 + "]" * 99,
        "[" * 100 + "]" * 100,
        "[" * 2000 + "]" * 2000,
        '{"a":1,"a":2}',
        '"\\"[[["',
    ),
    *("[1,]", "[1 2]", "{1:2}", "[[]", "true", "undefined", '{"' + "k" * 50_000 + '":1}', '{"' + "k" * 50_001 + '":1}'),
)


@dataclass(frozen=True)
class Record:
    """A Kafka record as the validators see it."""

    topic: str
    key: bytes | None
    value: bytes | None
    kafka_time: datetime = KAFKA_TIME


def record_of(topic: Topic, key_field: str, document: Document) -> Record:
    return Record(topic, str(document[key_field]).encode(), json.dumps(document, ensure_ascii=False).encode())


def random_record(rng: random.Random) -> Record:
    """A valid record, or one with up to three changes, most of which break it."""
    topic, key_field, example = rng.choice(EXAMPLES)
    document = copy.deepcopy(example)
    for _ in range(rng.choice((0, 1, 1, 1, 2))):
        rng.choice(_DOCUMENT_CHANGES)(document, rng)
    key = str(document.get(key_field, "p1")).encode("utf-8", errors="replace")
    fields = list(document.items())
    rng.shuffle(fields)
    text = json.dumps(dict(fields), ensure_ascii=rng.random() < 0.5, indent=rng.choice((None, None, 1)))
    if rng.random() < 0.35:
        text = _TEXT_CHANGES[int(rng.random() * len(_TEXT_CHANGES))](text, rng)
    record = Record(topic, key, text.encode("utf-8", errors="surrogatepass"))
    if rng.random() < 0.25:
        record = rng.choice(_RECORD_CHANGES)(record, rng)
    return record


def _holders(document: Document) -> list[Document]:
    inner = [value for value in document.values() if isinstance(value, dict)]
    lines = [line for value in document.values() if isinstance(value, list) for line in value if isinstance(line, dict)]
    return [document, *inner, *lines]


def _drop(document: Document, rng: random.Random) -> None:
    holder = rng.choice(_holders(document))
    if holder:
        del holder[rng.choice(list(holder))]


def _set(document: Document, rng: random.Random) -> None:
    holder = rng.choice(_holders(document))
    if holder:
        holder[rng.choice(list(holder))] = copy.deepcopy(rng.choice(VALUES))


def _add(document: Document, rng: random.Random) -> None:
    names = ("unknown", "country", "level", "rating", "items", "device", "text", "payment", "a: STRING, b", "é", "")
    rng.choice(_holders(document))[rng.choice(names)] = copy.deepcopy(rng.choice(VALUES))


def _set_time(document: Document, rng: random.Random) -> None:
    document["event_time"] = rng.choice([value for value in VALUES if isinstance(value, str)])


def _raw(text: str, rng: random.Random, raw: str) -> str:
    """Put raw JSON text in the place of the value of a random field at the top."""
    document = json.loads(text)
    name = rng.choice([*document, "unknown"])
    document[name] = "\x00here"
    return json.dumps(document, ensure_ascii=False).replace('"\\u0000here"', raw)


def _insert(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text) + 1)
    return (
        text[:at]
        + rng.choice(['"', "\\", ",", "}", "{", "[", "]", ":", "\n", "\x00", "x", "\ufeff", "\ud800", "/**/"])
        + text[at:]
    )


def _around(text: str, rng: random.Random) -> str:
    before = rng.choice(("", " ", "\n\t\r ", "\ufeff", "\x0b", "\u00a0", "[", "// c\n"))
    return before + text + rng.choice(("", " ", "\n", "x", "{}", ",", "]", "}", "\x00", "],1", "\u00a0", "]}"))


def _twice(text: str, rng: random.Random) -> str:
    again = rng.choice(("event_id", "\\u0065vent_id", "unknown"))
    return f'{{"{again}": "event-0001", ' + text.lstrip()[1:]


_DOCUMENT_CHANGES: tuple[Callable[[Document, random.Random], None], ...] = (_drop, _set, _set, _set, _add, _set_time)
_TEXT_CHANGES: tuple[Callable[[str, random.Random], str], ...] = (
    lambda text, rng: _raw(text, rng, rng.choice(NUMBERS)),
    lambda text, rng: _raw(text, rng, rng.choice(NUMBERS)),
    lambda text, rng: _raw(text, rng, rng.choice(STRANGE)),
    _insert,
    _around,
    _twice,
    lambda text, rng: text[: rng.randrange(len(text))],
    lambda text, rng: rng.choice(("", "null", "[]", "1", '"x"', "{}", "[" + text + "]", "true")),
)


def _bad_byte(record: Record, rng: random.Random) -> Record:
    value = bytearray(record.value or b"x")
    value[rng.randrange(len(value))] = rng.choice((0x00, 0x7F, 0x80, 0xC0, 0xED, 0xF5, 0xFF, ord('"')))
    return replace(record, value=bytes(value))


_RECORD_CHANGES: tuple[Callable[[Record, random.Random], Record], ...] = (
    _bad_byte,
    lambda record, rng: replace(record, key=rng.choice((None, b"", b"other", b"\xff"))),
    lambda record, rng: replace(record, value=rng.choice((None, b"", b" " * (1024 * 1024 + 1)))),
    lambda record, rng: replace(record, topic=rng.choice((*RAW_TOPICS, "dead-letter"))),
    lambda record, rng: replace(record, kafka_time=KAFKA_TIME - timedelta(seconds=rng.choice((599, 600, 601, 602)))),
)
