"""A bad batch run is taken back, and the next run does again what came since."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from include.config import Settings
from include.errors import ConfigurationError
from include.names import Table
from spark_jobs.batch import compact, gold, restore, silver
from spark_jobs.batch.progress import done_version
from spark_jobs.io import read, write
from tests.spark.bronze_rows import archive, lake_in, order


def orders(spark: SparkSession, lake: Settings) -> list[str]:
    return sorted(row["event_id"].strip("_") for row in read(spark, Table.SILVER_PURCHASES, lake).collect())


def two_versions(spark: SparkSession, lake: Settings, table: Table = Table.SILVER_PURCHASES) -> None:
    """A table whose second version replaced the first one's row."""
    for name in "ab":
        write(spark.createDataFrame([(name,)], "event_id string"), table, lake, mode="overwrite")


def test_what_a_bad_run_wrote_is_taken_back(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    two_versions(spark, lake, Table.GOLD_METRICS_DAILY)
    assert [one.version for one in restore.versions(spark, lake, Table.GOLD_METRICS_DAILY)] == [1, 0]

    restored = restore.restore(spark, lake, Table.GOLD_METRICS_DAILY, 0)

    assert (restored.version, restored.was, restored.rows) == (0, 1, 1)
    assert [row["event_id"] for row in read(spark, Table.GOLD_METRICS_DAILY, lake).collect()] == ["a"]
    # The next run does every day again: nothing was done before this version.
    assert done_version(spark, lake, gold.JOB) == restored.bronze_version == -1


def test_silver_gets_back_what_arrived_since_and_nothing_twice(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    archive(spark, lake, [order("a", 0)])
    silver.run(spark, lake)
    archive(spark, lake, [order("b", 1), order("a", 0).again(2, at=5)])
    silver.run(spark, lake)

    restored = restore.restore(spark, lake, Table.SILVER_PURCHASES, 0)
    assert (restored.rows, orders(spark, lake)) == (1, ["a"])

    silver.run(spark, lake)
    assert orders(spark, lake) == ["a", "b"]
    assert read(spark, Table.SILVER_DUPLICATES, lake).count() == 1


@pytest.mark.parametrize(
    ("table", "version", "named"),
    [
        (Table.BRONZE_EVENTS, 0, "choose a table of silver or gold"),
        (Table.GOLD_SESSIONS, 0, "was never written"),
        (Table.SILVER_PURCHASES, 7, "has 0 to 1"),
    ],
)
def test_what_cannot_be_put_back_is_refused_with_the_reason(
    spark: SparkSession, tmp_path: Path, table: Table, version: int, named: str
) -> None:
    lake = lake_in(tmp_path)
    two_versions(spark, lake)

    with pytest.raises(ConfigurationError, match=named):
        restore.restore(spark, lake, table, version)


def test_a_version_whose_files_are_deleted_is_refused_with_the_way_out(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    two_versions(spark, lake)
    compact.run(spark, lake.model_copy(update={"delta_history_hours": 0}), [Table.SILVER_PURCHASES])

    with pytest.raises(ConfigurationError, match="process-batch"):
        restore.restore(spark, lake, Table.SILVER_PURCHASES, 0)
    assert orders(spark, lake) == ["b"]
