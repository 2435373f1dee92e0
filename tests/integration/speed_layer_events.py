"""Literal events for the tests of the speed layer, sent to a real broker, and the truth that is counted beside it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from confluent_kafka import Producer

from include.config import Settings
from include.contracts.validation import encode
from include.names import Topic
from include.simulator.places import COUNTRIES

START = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def order(name: str, total: str = "10.00", seconds: float = 0) -> dict[str, Any]:
    return {
        "event_id": f"{name:_<8}",
        "event_type": "order_placed",
        "event_time": (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "schema_version": 1,
        "order_id": f"order-{name}",
        "user_id": f"user-{name}",
        "session_id": f"session-{name}",
        "items": [{"product_id": "mug", "category": "kitchen", "quantity": 2, "amount": total}],
        "currency": "EUR",
        "total": total,
        "payment": {"method": "card", "card_id": "card-1"},
        "shipping_country": "DE",
        "billing_country": "DE",
        "device": {"device_id": "phone-1", "device_type": "mobile"},
    }


def shelves_of(truth: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Stock of each counted shelf by ``product:warehouse``, from rows of the simulator's truth, each event once."""
    home = {country.code: country.warehouse for country in COUNTRIES}
    levels: dict[str, int] = {}
    # What moved in the moment of a count is in the count.
    for row in sorted(truth, key=lambda row: (row["event_time"], row["level"] is not None)):
        shelf = f"{row['product_id']}:{row['warehouse_id']}"
        if row["level"] is not None:
            levels[shelf] = row["level"]
        elif shelf in levels:
            levels[shelf] += row["delta"] or 0
        for line in row["items"] or () if row["event_type"] == "order_placed" else ():
            shelf = f"{line['product_id']}:{home.get(row['country'])}"
            if shelf in levels:
                levels[shelf] -= line["quantity"]
    return levels


@dataclass
class Shop:
    """Sends orders, and knows how many different ones there are and what they are worth."""

    settings: Settings
    orders: dict[str, Decimal] = field(default_factory=dict)
    records: int = 0
    invalid: int = 0

    @contextmanager
    def _producer(self) -> Iterator[Producer]:
        producer = Producer({"bootstrap.servers": self.settings.bootstrap_servers, "acks": "all"})
        yield producer
        assert producer.flush(30) == 0

    def send(self, *orders: dict[str, Any], partition: int = 0) -> None:
        with self._producer() as producer:
            for event in orders:
                value = encode(event, Topic.PURCHASES)
                producer.produce(Topic.PURCHASES.value, value, event["user_id"].encode(), partition)
                self.orders[event["event_id"]] = Decimal(event["total"])
                self.records += 1

    def send_broken(self, **changes: Any) -> None:
        event = {**order("broken"), **changes}
        with self._producer() as producer:
            producer.produce(Topic.PURCHASES.value, json.dumps(event).encode(), event["user_id"].encode(), 0)
        self.records += 1
        self.invalid += 1

    @property
    def truth(self) -> tuple[int, int]:
        """Orders and cents."""
        return len(self.orders), int(sum(self.orders.values()) * 100)
