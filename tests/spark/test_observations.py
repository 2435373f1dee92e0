"""What is seen of tables as a whole, and which of it the suite of ``ops.observations`` refuses."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from include.names import Table
from include.quality.frame import prepared
from include.quality.runner import run_suite
from include.quality.suite import Severity, load_suite
from spark_jobs.transforms.observations import SCHEMA, drift, holes, volume

# Great Expectations imports modules that Python 3.11 calls deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore:module 'sre_constants' is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:module 'sre_parse' is deprecated:DeprecationWarning"),
]
NOW = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)
EVENTS = "event_time timestamp, event_date date, payment_method string"


def events(days_back: int, hour: int, *methods: str) -> list[tuple[datetime, date, str]]:
    moment = datetime(2026, 3, 10, hour, 5, tzinfo=UTC) - timedelta(days=days_back)
    return [(moment, moment.date(), method) for method in methods]


def test_a_closed_hour_is_held_against_the_same_hour_of_earlier_days(spark: SparkSession) -> None:
    rows = [
        *events(0, 11, "card"),
        *events(1, 11, "card", "card"),
        *events(2, 11, "card", "card", "card", "card"),
        *events(3, 11, "card", "card", "card"),
        # The running hour, and one of which nobody knows what is usual.
        *events(0, 12, "card"),
        *events(0, 10, "card"),
        *events(1, 10, "card"),
    ]
    found = volume(spark.createDataFrame(rows, EVENTS), "orders", NOW, least=1).collect()
    assert [(row.subject, row.hour.hour, row.value, row.usual) for row in found] == [("orders", 11, 1.0, 3.0)]
    assert found[0].ratio == pytest.approx(1 / 3)


def test_shares_that_stay_do_not_drift_and_a_new_value_does(spark: SparkSession) -> None:
    before = events(1, 9, "card", "card", "cash", "cash")
    same = spark.createDataFrame([*before, *events(0, 9, "card", "cash")], EVENTS)
    other = spark.createDataFrame([*before, *events(0, 9, "card", "wallet")], EVENTS)
    assert drift(same, "payment_method", "orders", NOW, least=1).first().value == pytest.approx(0)
    assert drift(other, "payment_method", "orders", NOW, least=1).first().value > 1
    assert drift(other, "payment_method", "orders", NOW, least=3).collect() == []


def test_an_offset_that_bronze_lacks_is_a_hole(spark: SparkSession) -> None:
    rows = [("a", 0, 5), ("a", 0, 6), ("a", 0, 8), ("a", 1, 3), ("a", 1, 3)]
    found = holes(spark.createDataFrame(rows, "topic string, partition int, offset long")).collect()
    assert {row.subject: row.value for row in found} == {"a-0": 1.0, "a-1": 0.0}


def test_holes_and_dropped_rows_are_critical_the_rest_warns(spark: SparkSession, tmp_path: Path) -> None:
    day = NOW.date()
    rows = [
        ("holes", "purchases-0", None, 1.0, None, None, None, day),
        ("dropped", "live_metrics", None, 0.0, None, None, 0.0, day),
        ("behind", "bronze_archive", None, 61.0, None, None, 60.0, day),
        ("behind", "silver.purchases", None, 600.0, None, None, 7200.0, day),
        ("volume", "silver.purchases", NOW, 1.0, 10.0, 0.1, None, day),
        ("drift", "silver.purchases.currency", None, 0.1, None, None, None, day),
    ]
    suite = load_suite(Table.OBSERVATIONS)
    frame = prepared(spark.createDataFrame(rows, SCHEMA), suite, lambda _: None)
    failures = {failure.expectation: failure.severity for failure in run_suite(frame, suite, tmp_path / "page.html")}
    assert failures == {
        "column_values_to_be_between(holes)": Severity.CRITICAL,
        "column_values_to_be_in_set(in_time)": Severity.WARNING,
        "column_values_to_be_between(volume_ratio)": Severity.WARNING,
    }
