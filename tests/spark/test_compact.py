from pathlib import Path

from pyspark.sql import SparkSession

from include.names import Table
from spark_jobs.batch import compact
from spark_jobs.io import read
from tests.spark.bronze_rows import archive, lake_in, order

DAY = 86_400


def test_small_files_become_few_and_rows_stay(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    for number in range(4):
        archive(spark, lake, [order(f"e{number}", number)])
    (done,) = compact.run(spark, lake, [Table.BRONZE_EVENTS, Table.SILVER_PURCHASES])
    assert (done.table, done.before.files, done.after.files) == ("bronze.events", 4, 1)
    assert read(spark, Table.BRONZE_EVENTS, lake).count() == 4


def test_days_past_their_retention_are_dropped_from_bronze_only_where_it_is_set(
    spark: SparkSession, tmp_path: Path
) -> None:
    lake = lake_in(tmp_path)
    archive(spark, lake, [order("a", 0, at=-4000 * DAY)])
    (kept,) = compact.run(spark, lake, [Table.BRONZE_EVENTS])
    assert (kept.kept_days, read(spark, Table.BRONZE_EVENTS, lake).count()) == (None, 1)
    (dropped,) = compact.run(spark, lake_in(tmp_path, bronze_keep_days=30), [Table.BRONZE_EVENTS])
    assert (dropped.kept_days, read(spark, Table.BRONZE_EVENTS, lake).count()) == (30, 0)
