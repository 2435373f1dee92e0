"""What is observed of a small lake, and which observations the suite of ``ops.observations`` refuses."""

from datetime import timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from include.names import Table
from include.quality.frame import prepared
from include.quality.observations import SCHEMA, Observation
from include.quality.runner import run_suite
from include.quality.suite import Severity, load_suite
from spark_jobs.batch import observe, silver
from tests.spark.bronze_rows import NOON, archive, lake_in, order, visit

# Great Expectations imports modules that Python 3.11 calls deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore:module 'sre_constants' is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:module 'sre_parse' is deprecated:DeprecationWarning"),
]


def test_holes_of_bronze_and_how_far_silver_is_behind_are_observed(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    archive(spark, lake, [order("a", 0), order("c", 2), visit("v", 7)])
    silver.run(spark, lake)
    archive(spark, lake, [order("d", 3, at=90)])

    seen = observe.of_lake(spark, lake, NOON + timedelta(hours=1))

    assert {(one.kind, one.subject): (one.value, one.allowed) for one in seen} == {
        ("holes", "purchases-0"): (1, None),
        ("holes", "user-events-0"): (0, None),
        ("behind", "silver.purchases"): (90.0, observe.SILVER_SECONDS),
        ("behind", "silver.user_events"): (0, observe.SILVER_SECONDS),
    }


def test_holes_are_critical_the_rest_warns(spark: SparkSession, tmp_path: Path) -> None:
    seen = [
        Observation("holes", "purchases-0", 1),
        Observation("behind", "bronze_archive", 61, allowed=60),
        Observation("behind", "silver.purchases", 600, allowed=7200),
        Observation("volume", "silver.purchases", 1, hour=NOON, usual=10),
        Observation("drift", "silver.purchases.currency", 0.1),
    ]
    suite = load_suite(Table.OBSERVATIONS)
    rows = spark.createDataFrame([one.row(NOON.date()) for one in seen], SCHEMA)
    failures = run_suite(prepared(rows, suite, lambda _: None), suite, tmp_path / "page.html")
    assert {failure.expectation: failure.severity for failure in failures} == {
        "column_values_to_be_between(holes)": Severity.CRITICAL,
        "column_values_to_be_in_set(in_time)": Severity.WARNING,
        "column_values_to_be_between(volume_ratio)": Severity.WARNING,
    }
