"""From bytes to events: the only way, in both layers. Accepts what ``include.contracts.validation`` accepts."""

from collections.abc import Sequence
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.schemas import RECORD_COLUMNS, conformed_columns
from spark_jobs.transforms import judge

EVENT_COLUMNS: Final = tuple(column.name for column in conformed_columns())


def parse_events(records: DataFrame, columns: Sequence[str] = EVENT_COLUMNS) -> DataFrame:
    """Add ``event`` (null when refused) and ``rejection`` (null when valid) to records.

    Args:
        records: Rows with at least ``topic, partition, offset, kafka_time, key, value``.
        columns: Which columns of the event are needed: reading a value costs as much as judging it.
    """
    judged = records.withColumn("_judged", F.expr(judge.register(records.sparkSession, tuple(columns))))
    return judged.select(*records.columns, "_judged.event", "_judged.rejection")


def valid_events(parsed: DataFrame) -> DataFrame:
    """The conformed events: one flat row for each valid record."""
    names = parsed.schema["event"].dataType.names
    return parsed.where("event IS NOT NULL").select(*RECORD_COLUMNS, *(F.col(f"event.{name}") for name in names))


def rejected_events(parsed: DataFrame) -> DataFrame:
    """The refused records as rows of ``bronze.rejected``."""
    return parsed.where("rejection IS NOT NULL").select(
        *RECORD_COLUMNS,
        "key",
        "value",
        "rejection.*",
        F.current_timestamp().alias("rejected_at"),
        F.to_date("kafka_time").alias("arrival_date"),
    )
