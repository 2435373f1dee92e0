from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from include.config import Settings
from include.errors import ConfigurationError
from include.names import Table
from spark_jobs.batch import compact, process, silver
from spark_jobs.io import read
from tests.spark.bronze_rows import NOON, archive, lake_in, order, visit

DAY = 86_400
TODAY = (datetime.now(UTC) - NOON).total_seconds()


def test_small_files_become_few_and_rows_stay(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    for number in range(4):
        archive(spark, lake, [order(f"e{number}", number)])
    (done,) = compact.run(spark, lake, [Table.BRONZE_EVENTS, Table.SILVER_PURCHASES])
    assert (done.table, done.before.files, done.after.files) == ("bronze.events", 4, 1)
    assert read(spark, Table.BRONZE_EVENTS, lake).count() == 4


def files_by_day(spark: SparkSession, lake: Settings, table: Table) -> list[int]:
    """How many files each day has, the oldest first."""
    rows = read(spark, table, lake).select("event_date", F.input_file_name().alias("file")).distinct()
    return [row["count"] for row in rows.groupBy("event_date").count().orderBy("event_date").collect()]


def test_today_and_days_that_wait_for_their_recompute_are_left_alone(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    days = (-DAY, 0, TODAY)
    for first, run in ((0, process.run), (3, silver.run)):
        records = [order(f"e{n}", n, happened=day, at=max(day, 0)) for n, day in enumerate(days, first)]
        archive(spark, lake, records)
        run(spark, lake)
    compact.run(spark, lake, [Table.SILVER_PURCHASES])
    assert files_by_day(spark, lake, Table.SILVER_PURCHASES) == [2, 2, 2]
    process.run(spark, lake)
    compact.run(spark, lake, [Table.SILVER_PURCHASES])
    assert files_by_day(spark, lake, Table.SILVER_PURCHASES) == [1, 1, 2]


def test_days_past_their_retention_are_dropped_from_bronze_only_where_it_is_set(
    spark: SparkSession, tmp_path: Path
) -> None:
    lake = lake_in(tmp_path)
    archive(spark, lake, [order("a", 0, at=-4000 * DAY)])
    (kept,) = compact.run(spark, lake, [Table.BRONZE_EVENTS])
    assert (kept.kept_days, read(spark, Table.BRONZE_EVENTS, lake).count()) == (None, 1)
    (dropped,) = compact.run(spark, lake_in(tmp_path, bronze_keep_days=30), [Table.BRONZE_EVENTS])
    assert (dropped.kept_days, read(spark, Table.BRONZE_EVENTS, lake).count()) == (30, 0)


def aged(spark: SparkSession, folder: Path) -> Settings:
    """Bronze in which ann did the same forty days ago and today, and persons are to be forgotten after thirty days."""
    lake = lake_in(folder, personal_keep_days=30)
    for number, time in enumerate((TODAY - 40 * DAY, TODAY)):
        records = [
            order(f"o{number}", number, happened=time, at=time, partition=number),
            visit(f"v{number}", number, happened=time, at=time),
        ]
        archive(spark, lake, records)
    return lake


def customers(spark: SparkSession, lake: Settings, table: Table) -> list[str]:
    """Who it was, the oldest first."""
    return [row["user_id"] for row in read(spark, table, lake).orderBy("event_date").collect()]


def test_events_past_the_age_for_persons_no_longer_say_who_it_was_and_add_up_as_before(
    spark: SparkSession, tmp_path: Path
) -> None:
    lake = aged(spark, tmp_path)
    process.run(spark, lake)
    summed = (Table.GOLD_METRICS_DAILY, Table.GOLD_FUNNEL_DAILY, Table.GOLD_PRODUCTS_DAILY)
    before = [sorted(map(tuple, read(spark, table, lake).collect()), key=str) for table in summed]
    told = [Table.BRONZE_EVENTS, Table.SILVER_PURCHASES, Table.SILVER_USER_EVENTS, Table.GOLD_SESSIONS]
    compact.run(spark, lake, told)
    old, new = read(spark, Table.SILVER_PURCHASES, lake).orderBy("event_date").collect()
    assert (old["user_id"].startswith("erased-"), old["card_id"], old["device_id"]) == (True, "erased", "erased")
    assert (new["user_id"], new["card_id"], new["device_id"]) == ("ann", "card-1", "phone-1")
    assert [name == "ann" for name in customers(spark, lake, Table.SILVER_USER_EVENTS)] == [False, True]
    assert [name == "ann" for name in customers(spark, lake, Table.GOLD_SESSIONS)] == [False, True]
    assert read(spark, Table.BRONZE_EVENTS, lake).count() == 2
    # Who was replaced once is left alone, and a day of it is computed again with the same sums.
    compact.run(spark, lake, [Table.SILVER_PURCHASES])
    assert customers(spark, lake, Table.SILVER_PURCHASES) == [old["user_id"], "ann"]
    process.run(spark, lake, [old["event_date"].isoformat()])
    assert [sorted(map(tuple, read(spark, table, lake).collect()), key=str) for table in summed] == before


def test_silver_is_not_built_anew_from_a_bronze_that_lost_records(spark: SparkSession, tmp_path: Path) -> None:
    lake = aged(spark, tmp_path)
    silver.run(spark, lake)
    compact.run(spark, lake, [Table.BRONZE_EVENTS])
    with pytest.raises(ConfigurationError, match=r"would lose events: silver\.user_events holds user-events-0 from"):
        silver.run(spark, lake, full=True)
    assert read(spark, Table.SILVER_PURCHASES, lake).count() == 2
