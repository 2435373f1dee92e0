"""The fraud patterns against a real Kafka: drained, drained again, begun anew in the middle of a pattern."""

import json
from collections.abc import Iterator

import pytest
from kafka import KafkaConsumer
from pyspark.sql import SparkSession

from include.config import Settings
from include.names import Query, Topic
from include.supervision.beginning import begin_anew
from spark_jobs.streaming.driver import Driver
from spark_jobs.streaming.speed_layer import STREAMS
from tests.integration.speed_layer_events import Shop, order
from tests.integration.speed_layer_rig import forget_last_commit, fresh_broker, live_session

# Rule, subject, evidence and the event that completed the pattern.
Alert = tuple[str, str, str, str]


@pytest.fixture(scope="module")
def settings(elasticsearch: Settings) -> Iterator[Settings]:
    with fresh_broker(elasticsearch) as mine:
        yield mine


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    with live_session() as session:
        yield session


def drain(spark: SparkSession, settings: Settings) -> None:
    Driver("tests", {Query.FRAUD_PATTERNS: STREAMS[Query.FRAUD_PATTERNS]}, settings, once=True).run_in(spark)


def alerts(settings: Settings) -> dict[str, Alert]:
    """What the topic has, by id: the latest of each."""
    consumer = KafkaConsumer(
        Topic.FRAUD_ALERTS.value,
        bootstrap_servers=settings.bootstrap_servers,
        auto_offset_reset="earliest",
        consumer_timeout_ms=2000,
    )
    try:
        found = [json.loads(record.value) for record in consumer]
    finally:
        consumer.close()
    return {
        alert["alert_id"]: (alert["rule"], alert["subject"], alert["evidence"], alert["event_id"]) for alert in found
    }


def buy(shop: Shop, *numbers: int) -> None:
    shop.send(*({**order(f"n{number}", seconds=30 * number), "user_id": "hasty"} for number in numbers))


def test_a_pattern_over_micro_batches_a_repeat_and_a_new_beginning_is_one_alert(
    spark: SparkSession, settings: Settings
) -> None:
    shop = Shop(settings)
    buy(shop, 1, 2)
    drain(spark, settings)
    buy(shop, 3, 4)
    drain(spark, settings)
    # Written and never committed: done again, and no order counts twice.
    forget_last_commit(settings, Query.FRAUD_PATTERNS)
    drain(spark, settings)
    assert alerts(settings) == {}

    begin_anew(settings, Query.FRAUD_PATTERNS)
    buy(shop, 5)
    drain(spark, settings)
    assert alerts(settings) == {}
    buy(shop, 6)
    drain(spark, settings)

    once = list(alerts(settings).values())
    assert once == [("order_velocity", "hasty", "6 orders in 10 minutes", "n6______")]
    drain(spark, settings)
    assert list(alerts(settings).values()) == once
