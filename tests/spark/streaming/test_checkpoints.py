from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from include.config import Settings
from include.errors import ConfigurationError
from include.names import Query
from spark_jobs.checkpoints import state_of
from spark_jobs.io import Stream, write

SCHEMA = "event_id string, subject string, at timestamp, amount int"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "1.json").write_text('{"event_id": "a", "subject": "ann", "at": "2026-03-10 12:00:00"}\n')
    return Settings(_env_file=None, platform_data_dir=tmp_path)


def rows(spark: SparkSession, settings: Settings) -> DataFrame:
    stream = spark.readStream.schema(SCHEMA).json(str(settings.platform_data_dir / "rows"))
    return stream.withWatermark("at", "1 hour")


def once(events: DataFrame) -> DataFrame:
    return events.dropDuplicatesWithinWatermark(["event_id"])


def sums(events: DataFrame, *more: Any) -> DataFrame:
    windows = F.window("at", "1 minute")
    people = F.approx_count_distinct("event_id", 0.02).alias("events")
    return events.groupBy("subject", windows).agg(F.max(F.struct("at", "amount")).alias("last"), people, *more)


def drain(frame: DataFrame, settings: Settings) -> None:
    def count(batch: DataFrame, _: int) -> None:
        batch.count()

    query = write(frame, count, settings, stream=Stream(Query.FRAUD_PATTERNS, None, output="update"))
    assert query is not None
    query.awaitTermination()


def test_the_state_of_a_query_is_told_column_by_column(spark: SparkSession, settings: Settings) -> None:
    assert state_of(rows(spark, settings)) == {}
    assert state_of(once(rows(spark, settings))) == {"event_id (deduplicated)": "string"}
    found = state_of(sums(rows(spark, settings), F.count_if(F.col("amount") > 1).alias("large")))
    assert found == {
        "subject": "string",
        "window": "struct<start:timestamp,end:timestamp>",
        "last": "max struct<at:timestamp,amount:int>",
        "events": "approx_count_distinct bigint of 410 fields",
        "large": "count_if bigint",
    }


def test_a_query_that_is_as_before_goes_on(spark: SparkSession, settings: Settings) -> None:
    drain(sums(rows(spark, settings)), settings)
    drain(sums(rows(spark, settings)), settings)


def test_a_change_of_the_state_is_refused_before_it_starts(spark: SparkSession, settings: Settings) -> None:
    drain(sums(rows(spark, settings)), settings)
    with pytest.raises(ConfigurationError) as refused:
        drain(sums(rows(spark, settings), F.count("amount").alias("all")), settings)
    assert "state all: the checkpoint has nothing, the code has count bigint" in str(refused.value)
    assert "python main.py speed-layer begin-anew fraud_patterns" in str(refused.value)
    with pytest.raises(ConfigurationError, match="state subject: the checkpoint has string, the code has nothing"):
        drain(rows(spark, settings), settings)


def test_another_number_of_shuffle_partitions_is_refused(spark: SparkSession, settings: Settings) -> None:
    drain(once(rows(spark, settings)), settings)
    before = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", "3")
    try:
        with pytest.raises(
            ConfigurationError, match=rf"shuffle\.partitions: the checkpoint has {before}, the configuration"
        ):
            drain(once(rows(spark, settings)), settings)
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", before)
