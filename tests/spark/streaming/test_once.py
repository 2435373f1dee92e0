"""Copies are left out however micro-batches are cut, repeated, or read across a restart."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from include.config import Settings
from include.names import Query
from spark_jobs.streaming.once import IDS_FOLDER, Once

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
SCHEMA = "event_id string, event_time timestamp, kafka_time timestamp"
# Seconds after noon at which an event arrives.
Arrival = tuple[str, float]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, platform_data_dir=tmp_path, dedup_window_seconds=60)


@pytest.fixture
def once(spark: SparkSession, settings: Settings) -> Once:
    return Once(spark, settings, Query.LIVE_METRICS)


def firsts(once: Once, spark: SparkSession, batch_id: int, *arrivals: Arrival, parts: int = 1) -> list[str]:
    rows = [(event_id, NOON, NOON + timedelta(seconds=seconds)) for event_id, seconds in arrivals]
    with once.firsts_of(spark.createDataFrame(rows, SCHEMA).coalesce(parts), batch_id) as found:
        left = sorted(row.event_id for row in found.events.collect())
        assert (found.count, found.copies) == (len(left), len(rows) - len(left))
    return left


def files(settings: Settings) -> Sequence[str]:
    return sorted(path.name for path in (Path(settings.checkpoint_path(Query.LIVE_METRICS)) / IDS_FOLDER).iterdir())


def test_copies_in_one_and_in_later_micro_batches_are_left_out(once: Once, spark: SparkSession) -> None:
    assert firsts(once, spark, 0, ("a", 0), ("b", 0), ("a", 1), parts=2) == ["a", "b"]
    assert firsts(once, spark, 1) == []
    assert firsts(once, spark, 2, ("b", 59), ("c", 59)) == ["c"]


def test_a_repeated_micro_batch_lets_through_what_it_did_the_first_time(
    once: Once, spark: SparkSession, settings: Settings
) -> None:
    firsts(once, spark, 0, ("a", 0))
    assert firsts(once, spark, 1, ("a", 1), ("b", 1)) == ["b"]
    after_a_crash = Once(spark, settings, Query.LIVE_METRICS)

    assert firsts(after_a_crash, spark, 1, ("a", 1), ("b", 1)) == ["b"]
    assert firsts(after_a_crash, spark, 2, ("a", 2), ("b", 2), ("c", 2)) == ["c"]


def test_an_id_is_remembered_for_the_window_and_forgotten_some_time_after(
    once: Once, spark: SparkSession, settings: Settings
) -> None:
    for batch_id in range(12):
        firsts(once, spark, batch_id, (f"e{batch_id}", batch_id * 15))

    # Read at 165 s: what arrived before 105 s may go.
    assert files(settings)[0] != "0"
    assert firsts(once, spark, 12, ("e11", 165), ("e8", 165), ("e0", 165)) == ["e0"]
    assert firsts(Once(spark, settings, Query.LIVE_METRICS), spark, 13, ("e9", 180), ("e12", 180)) == ["e12"]


def test_a_partition_read_long_after_another_has_its_copies_left_out(once: Once, spark: SparkSession) -> None:
    firsts(once, spark, 0, ("slow", 0))
    firsts(once, spark, 1, ("fresh", 1000))

    assert firsts(once, spark, 2, ("slow", 30), ("fresh", 1001)) == []


def test_without_the_ids_of_the_micro_batch_before_nothing_is_counted(
    once: Once, spark: SparkSession, settings: Settings
) -> None:
    firsts(once, spark, 0, ("a", 0))
    (Path(settings.checkpoint_path(Query.LIVE_METRICS)) / IDS_FOLDER / "0").unlink()

    with pytest.raises(Exception, match=r"ids/0 is not there: copies .* begin-anew live_metrics"):
        firsts(Once(spark, settings, Query.LIVE_METRICS), spark, 1, ("a", 1))


def test_stamps_are_of_all_that_was_read(once: Once, spark: SparkSession) -> None:
    times = [("a", 1), ("b", 2)]
    rows = [(name, NOON - timedelta(hours=number), NOON + timedelta(seconds=number)) for name, number in times]
    with once.firsts_of(spark.createDataFrame(rows, SCHEMA), 0) as found:
        stamps = found.stamps
    assert stamps is not None
    assert (stamps.event_time_max, stamps.kafka_time_min, stamps.kafka_time_max) == (
        NOON - timedelta(hours=1),
        NOON + timedelta(seconds=1),
        NOON + timedelta(seconds=2),
    )
