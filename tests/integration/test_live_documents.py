"""A seeded shop through the streams of documents: everything can be found, and the stock is what the shop has."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import Producer
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk
from kafka import KafkaConsumer
from pyspark.sql import SparkSession

from include.alerting.alert import Alert
from include.alerting.kafka_source import alert_of
from include.config import Settings
from include.names import Alias, Query, Topic
from include.serving.client import connect
from include.serving.indices import install
from include.serving.scan import documents_of
from include.simulator.events import Event
from include.simulator.options import SimulationOptions
from include.simulator.shop import Shop
from include.simulator.truth import truth_batch
from include.stock.rules import DEFAULT_RULES
from spark_jobs.streaming.driver import Driver
from spark_jobs.streaming.speed_layer import STREAMS
from tests.integration.speed_layer_events import shelves_of
from tests.integration.speed_layer_rig import forget_last_commit, fresh_broker, live_session

STREAMED = (Query.LIVE_EVENTS, Query.LIVE_INVENTORY)
# Whoever commits fraud does not wait for goods, so the shop's shelves know nothing of these orders.
OPTIONS = SimulationOptions(
    start_ms=1_772_366_400_000, rate=400, duration=60, seed=11, fraud=0, duplicates=0.05, out_of_order=0.1
)
ALERT = {"rule": "order_velocity", "severity": "warning", "score": 0.7, "event_time": "2026-03-01T12:00:00.000Z"}
STAMPS = ("processed_at", "indexed_at", "version")


class Sent:
    """What is sent, and what must come of it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.shop = Shop(OPTIONS)
        self.events = [event for event in self.shop.events() if event.topic is not Topic.USER_EVENTS]
        rows: list[tuple[Event, bool]] = [(event, True) for event in self.events]
        self.truth = {row["event_id"]: row for row in truth_batch(rows, self.shop.run_id).to_pylist()}

    def send(self, events: Sequence[Event], *alerts: Mapping[str, Any]) -> None:
        producer = Producer({"bootstrap.servers": self.settings.bootstrap_servers, "acks": "all", "linger.ms": 5})
        for event in events:
            producer.produce(event.topic.value, event.value, event.key)
        for alert in alerts:
            producer.produce(Topic.FRAUD_ALERTS.value, json.dumps(alert).encode())
        assert producer.flush(60) == 0

    def levels_of_the_shop(self, shelves: Iterable[str]) -> dict[str, int]:
        """What the shop itself has on shelves."""
        products = {product.product_id: product for product in self.shop.catalogue.products}
        split = {shelf: shelf.split(":") for shelf in shelves}
        return {shelf: self.shop.stock.level(products[name], place) for shelf, (name, place) in split.items()}

    def searchable(self) -> set[str]:
        return {name for name, row in self.truth.items() if row["topic"] != Topic.INVENTORY_UPDATES}


@pytest.fixture(scope="module")
def settings(elasticsearch: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    rules = tmp_path_factory.mktemp("stock") / "rules.yaml"
    # The shop refills before a shelf is low by the usual rules.
    rules.write_text(DEFAULT_RULES.read_text(encoding="utf-8").replace("units: 3", "units: 14"), encoding="utf-8")
    with fresh_broker(elasticsearch, stock_rules_file=rules) as mine:
        yield mine


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[Elasticsearch]:
    with connect(settings) as search:
        install(search)
        yield search


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    with live_session() as session:
        yield session


@pytest.fixture(scope="module")
def sent(settings: Settings) -> Sent:
    return Sent(settings)


def drain(spark: SparkSession, settings: Settings) -> None:
    Driver("tests", {query: STREAMS[query] for query in STREAMED}, settings, once=True).run_in(spark)


def stored(client: Elasticsearch, sent: Sent, *more: Mapping[str, Any]) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Documents by alias and id, without stamps; of the shop alone, as other tests use the same Elasticsearch."""
    client.indices.refresh(index="_all")
    own = {
        Alias.EVENTS: {"prefix": {"event_id": sent.shop.run_id}},
        Alias.FRAUD_ALERTS: {"prefix": {"alert_id": "velocity-"}},
        Alias.INVENTORY: {"term": {"layer": "speed"}},
    }
    return {
        alias.value: {
            found.id: {name: value for name, value in found.source.items() if name not in STAMPS}
            for found in documents_of(client, alias.value, {"bool": {"filter": [query, *more]}})
        }
        for alias, query in own.items()
    }


def messages(settings: Settings, topic: Topic) -> list[Any]:
    consumer = KafkaConsumer(
        topic.value,
        bootstrap_servers=settings.bootstrap_servers,
        auto_offset_reset="earliest",
        consumer_timeout_ms=1000,
    )
    found = list(consumer)
    consumer.close()
    return found


def stock_alerts(settings: Settings) -> dict[str, Alert]:
    found = [alert_of(message.topic, message.value, "none") for message in messages(settings, Topic.PLATFORM_ALERTS)]
    return {alert.alert_id: alert for alert in found}


@pytest.mark.timeout(240)
def test_everything_is_found_once_and_the_stock_is_the_shops(
    spark: SparkSession, settings: Settings, client: Elasticsearch, sent: Sent
) -> None:
    half = len(sent.events) // 2
    sent.send(sent.events[:half], ALERT | {"alert_id": "velocity-1"})
    drain(spark, settings)
    between = datetime.now(UTC)
    broken = ALERT | {"alert_id": "velocity-3", "event_time": "yesterday"}
    alerts_sent = (ALERT | {"alert_id": name} for name in ("velocity-1", "velocity-2"))
    sent.send(sent.events[half:], *alerts_sent, broken, {"hello": "world"})
    drain(spark, settings)
    first, alerts = stored(client, sent), stock_alerts(settings)

    assert set(first["events"]) == sent.searchable()
    assert all(
        document.get("total_minor") == sent.truth[name]["total_minor"] for name, document in first["events"].items()
    )
    levels = {name: document["level"] for name, document in first["inventory"].items()}
    assert levels == shelves_of(sent.truth.values()) == sent.levels_of_the_shop(levels)
    assert len(levels) > 200
    assert set(first["fraud-alerts"]) == {"velocity-1", "velocity-2"}
    letters = [json.loads(message.value) for message in messages(settings, Topic.DEAD_LETTER)]
    assert sorted((letter["field"], letter["stage"]) for letter in letters) == [("fraud-alerts", "elasticsearch")] * 2
    assert "yesterday" in letters[0]["value"] + letters[1]["value"]
    bad = {name for name, document in first["inventory"].items() if document["status"] != "ok"}
    assert {alert.key for alert in alerts.values()} == {f"stock/{name.replace(':', '/')}" for name in bad} != set()

    drain(spark, settings)
    assert (stored(client, sent), stock_alerts(settings)) == (first, alerts)

    # A crash in the middle of the last micro-batch: a part of it was written, and nobody said that it was done.
    for query in STREAMED:
        forget_last_commit(settings, query)
    last = {"range": {"indexed_at": {"gte": between.isoformat()}}}
    gone = {alias: list(stored(client, sent, last)[alias])[::2] for alias in first}
    assert all(gone.values())
    bulk(client, [{"_op_type": "delete", "_index": alias, "_id": name} for alias in gone for name in gone[alias]])
    drain(spark, settings)
    assert (stored(client, sent), stock_alerts(settings)) == (first, alerts)
