"""Rows that break a critical promise leave silver with the reason, and come back when the promise is mended."""

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from include.config import Settings
from include.names import Table
from include.quality.rows import faults
from include.quality.suite import Suite, load_suite
from spark_jobs.batch import quarantine, silver
from spark_jobs.io import read
from tests.spark.bronze_rows import archive, lake_in, order

DAY = "2026-03-10"


def rows(spark: SparkSession, lake: Settings, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in read(spark, table, lake).select("event_id", *columns).collect())


def orders_of_the_day(spark: SparkSession, lake: Settings) -> int:
    daily = read(spark, Table.GOLD_METRICS_DAILY, lake).where("dimension = 'all'")
    return sum(row["orders"] for row in daily.collect())


def test_rows_leave_with_their_reason_gold_follows_and_they_come_back(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = lake_in(tmp_path)
    # Keeps its contract, but its money does not add up: the items cost 10.00.
    archive(spark, lake, [order("a", 0), order("gap", 1).again(1, 0, total="11.00")])
    silver.run(spark, lake)

    moved = quarantine.quarantine(spark, lake, Table.SILVER_PURCHASES, [DAY])

    assert (moved.rows, moved.days, moved.reasons) == (1, [DAY], {"be_between(money_gap)": 1})
    assert rows(spark, lake, Table.SILVER_PURCHASES) == [("a_______",)]
    assert rows(spark, lake, Table.SILVER_QUARANTINE, "table_name", "broken", "total") == [
        ("gap_____", "silver.purchases", ["be_between(money_gap)"], pytest.approx(11))
    ]
    assert orders_of_the_day(spark, lake) == 1
    assert quarantine.quarantine(spark, lake, Table.SILVER_PURCHASES).rows == 0
    assert quarantine.release(spark, lake, Table.SILVER_PURCHASES).rows == 0

    suite = load_suite(Table.SILVER_PURCHASES)
    milder = [rule for rule in suite.rules if rule.kwargs.get("column") != "money_gap"]
    monkeypatch.setattr(quarantine, "load_suite", lambda _: suite.model_copy(update={"rules": tuple(milder)}))
    assert quarantine.release(spark, lake, Table.SILVER_PURCHASES).rows == 1
    assert rows(spark, lake, Table.SILVER_PURCHASES) == [("a_______",), ("gap_____",)]
    assert rows(spark, lake, Table.SILVER_QUARANTINE) == []
    assert orders_of_the_day(spark, lake) == 2


def test_every_kind_of_row_level_expectation_finds_its_rows(spark: SparkSession) -> None:
    rules = [
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "a"}},
        {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "b", "value_set": ["it's", "x\\y"]}},
        {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "c", "regex": "^[a-z.]{2}\\.$"}},
        {"type": "expect_column_values_to_be_between", "kwargs": {"column": "d", "min_value": 0, "max_value": 1}},
        {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "e", "value_set": [True]}},
        {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "a"}},
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "b"}, "severity": "warning"},
    ]
    suite = Suite.model_validate({"table": "silver.purchases", "about": "x", "columns": {"e": "d < 5"}, "rules": rules})
    assert len(faults(suite)) == 5
    frame = spark.createDataFrame(
        [(1, "it's", "ab.", 1.0), (None, "x", "ab", 9.0), (2, "x\\y", None, None)],
        "a int, b string, c string, d double",
    )
    found = {row["a"]: row["broken"] for row in quarantine.judged(frame, suite).collect()}
    assert found[1] == found[2] == []
    assert found[None] == list(faults(suite))
