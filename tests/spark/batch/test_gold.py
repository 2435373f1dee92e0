from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from include.config import Settings
from include.names import Table
from spark_jobs.batch import gold, process
from spark_jobs.io import read
from tests.spark.bronze_rows import Record, archive, lake_in, order, visit

DAY = 86_400
METRICS = (Table.GOLD_METRICS_HOURLY, Table.GOLD_METRICS_DAILY)


def totals(spark: SparkSession, lake: Settings, table: Table) -> dict[str, tuple[int, Decimal]]:
    """Orders and revenue by window, dimension ``all``, currency EUR."""
    rows = read(spark, table, lake).where("dimension = 'all' AND currency = 'EUR'").collect()
    return {f"{row['window_start']:%Y-%m-%d %H}": (row["orders"], row["revenue"]) for row in rows}


def everything(spark: SparkSession, lake: Settings, table: Table) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in read(spark, table, lake).collect()), key=str)


def test_orders_add_up_by_hour_and_by_day_to_the_cent(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    archive(spark, lake, [order("a", 0, "0.10"), order("b", 1, "0.20"), order("c", 2, "7.00", happened=3600, at=3600)])
    process.run(spark, lake)
    assert totals(spark, lake, Table.GOLD_METRICS_HOURLY) == {
        "2026-03-10 12": (2, Decimal("0.30")),
        "2026-03-10 13": (1, Decimal("7.00")),
    }
    assert totals(spark, lake, Table.GOLD_METRICS_DAILY) == {"2026-03-10 00": (3, Decimal("7.30"))}
    (ann,) = read(spark, Table.GOLD_CUSTOMER_PROFILES, lake).collect()
    assert (ann["user_id"], ann["orders"], ann["revenue"]) == ("ann", 3, Decimal("7.30"))


def test_only_days_that_changed_are_computed_and_those_asked_for(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    archive(spark, lake, [order("a", 0), order("b", 1, happened=-DAY)])
    assert process.run(spark, lake)["gold"]["days"] == ["2026-03-09", "2026-03-10"]
    archive(spark, lake, [order("c", 2, "5.00", happened=-DAY, at=60)])
    assert process.run(spark, lake)["gold"]["days"] == ["2026-03-09"]
    assert process.run(spark, lake, ["2026-03-10"])["gold"]["days"] == ["2026-03-10"]
    assert totals(spark, lake, Table.GOLD_METRICS_DAILY) == {
        "2026-03-09 00": (2, Decimal("15.00")),
        "2026-03-10 00": (1, Decimal("10.00")),
    }


def test_a_run_that_ended_between_silver_and_gold_is_finished_by_the_next(spark: SparkSession, tmp_path: Path) -> None:
    from spark_jobs.batch import silver

    lake = lake_in(tmp_path)
    archive(spark, lake, [order("a", 0)])
    silver.run(spark, lake)
    assert gold.run(spark, lake).days == ["2026-03-10"]
    assert gold.run(spark, lake).days == []


EVENTS = [
    order("a", 0, "0.10"),
    order("b", 1, "0.20", happened=-DAY),
    order("c", 2, "1.00", happened=5),
    visit("v", 0),
    visit("w", 1, "checkout_started", happened=-3600),
]


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[Record]]:
    """All events, some several times, in any order, in any number of versions of bronze."""
    copies = draw(st.lists(st.integers(0, len(EVENTS) - 1), max_size=4))
    chosen = draw(st.permutations([*range(len(EVENTS)), *copies]))
    records = [EVENTS[number].again(place, at=place) for place, number in enumerate(chosen)]
    cuts = sorted(draw(st.sets(st.integers(1, len(records) - 1), max_size=1)))
    return [records[start:end] for start, end in zip([0, *cuts], [*cuts, len(records)], strict=True)]


@pytest.fixture(scope="module")
def plain(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[Table, list[tuple[Any, ...]]]:
    """Gold of the events, each delivered once, in order."""
    lake = lake_in(tmp_path_factory.mktemp("lake"))
    archive(spark, lake, EVENTS)
    process.run(spark, lake)
    return {table: everything(spark, lake, table) for table in METRICS}


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(batches=deliveries())
def test_shuffled_repeated_and_split_events_give_the_same_gold(
    spark: SparkSession,
    tmp_path_factory: pytest.TempPathFactory,
    plain: dict[Table, list[tuple[Any, ...]]],
    batches: list[list[Record]],
) -> None:
    lake = lake_in(tmp_path_factory.mktemp("lake"))
    for batch in batches:
        archive(spark, lake, batch)
        process.run(spark, lake)
    assert {table: everything(spark, lake, table) for table in METRICS} == plain
