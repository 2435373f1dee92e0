"""Which of the conformed columns each silver table has."""

from typing import Final

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from include.config import Settings
from include.names import SILVER_BY_TOPIC, Table, Topic
from spark_jobs.io import read, table_exists
from spark_jobs.schemas import conformed_columns

# First in every table, because Delta keeps minima and maxima of the first columns only.
LEADING: Final = (
    "event_date",
    "bronze_version",
    "topic",
    "partition",
    "offset",
    "kafka_time",
    "event_id",
    "event_time",
)


def columns_of(topic: Topic) -> list[str]:
    """The columns of a topic's silver table, in their order."""
    names = [column.name for column in conformed_columns() if topic in column.sources]
    return [*LEADING, *(name for name in names if name not in LEADING)]


def all_columns() -> list[str]:
    """The columns of ``silver.duplicates``, which holds all families."""
    return [*LEADING, *(column.name for column in conformed_columns() if column.name not in LEADING)]


def widened(events: DataFrame) -> DataFrame:
    """Rows of one family with the columns of all, null where the family has none."""
    types = {column.name: column.spark_type for column in conformed_columns()}
    held = set(events.columns)
    return events.select(
        *(F.col(name) if name in held else F.lit(None).cast(types[name]).alias(name) for name in all_columns())
    )


def silver_events(spark: SparkSession, settings: Settings) -> DataFrame | None:
    """The union of the silver tables, fields of other families null; None before the first run.

    It has all columns, also those of families of which no event came yet. Conditions on ``event_date`` and the Kafka
    coordinates reach the files.
    """
    union: DataFrame | None = None
    for table in SILVER_BY_TOPIC.values():
        if table_exists(spark, table, settings):
            events = widened(read(spark, table, settings))
            union = events if union is None else union.unionByName(events)
    return union


def duplicate_events(spark: SparkSession, settings: Settings) -> DataFrame | None:
    """Every copy of an event that does not count, of all families; None where there was never one."""
    if not table_exists(spark, Table.SILVER_DUPLICATES, settings):
        return None
    return read(spark, Table.SILVER_DUPLICATES, settings)


def days_since(spark: SparkSession, settings: Settings, version: int | None) -> list[str]:
    """Days (ISO) of which silver got rows in runs after a bronze version; all days for None."""
    events = silver_events(spark, settings)
    if events is None:
        return []
    if version is not None:
        events = events.where(F.col("bronze_version") > version)
    return sorted(row[0].isoformat() for row in events.select("event_date").distinct().collect())
