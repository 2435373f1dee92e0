"""What stands in an index of the batch layer for rows of ``gold.metrics_10s``, and what they add up to."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from include.handover.cells import MEASURES

WINDOW_SECONDS: Final = 10
_TIME: Final = "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"


def documents(rows: DataFrame, processed_at: datetime) -> DataFrame:
    """Bulk bodies of rows of ``gold.metrics_10s``: ``line`` holds action and document, ``day`` what they are of."""
    parts = (F.col("window_start").cast("long").cast("string"), F.col("dimension"), F.col("value"))
    identity = F.concat_ws(":", *parts, F.coalesce("currency", F.lit("-")))
    action = F.to_json(F.struct(F.struct(identity.alias("_id")).alias("index")))
    stamp = F.lit(processed_at.astimezone(UTC).isoformat(timespec="milliseconds"))
    times = ("window_start", "event_time_max", "kafka_time_min", "kafka_time_max")
    source = F.to_json(
        F.struct(
            *(F.date_format(name, _TIME).alias(name) for name in times),
            F.lit(WINDOW_SECONDS).alias("window_seconds"),
            "dimension",
            "value",
            "currency",
            *MEASURES,
            F.lit("batch").alias("layer"),
            F.col("run_id").alias("query_id"),
            stamp.alias("processed_at"),
            stamp.alias("indexed_at"),
        )
    )
    return rows.select(F.concat(action, F.lit("\n"), source).alias("line"), F.col("event_date").alias("day"))


def totals(rows: DataFrame) -> dict[str, dict[str, int]]:
    """Per day the number of documents and the sums of the dimension ``all``, over currencies only to be compared."""
    is_all = F.col("dimension") == "all"
    sums = [F.coalesce(F.sum(F.when(is_all, F.col(name))), F.lit(0)).alias(name) for name in MEASURES]
    found = rows.groupBy("event_date").agg(F.count(F.lit(1)).alias("documents"), *sums).collect()
    return {row["event_date"].isoformat(): {name: int(row[name]) for name in ("documents", *MEASURES)} for row in found}


def write_lines(lines: DataFrame, folder: Path, by: str) -> None:
    """Write lines to a folder for each value of a column."""
    lines.repartition(by).write.mode("overwrite").partitionBy(by).text(str(folder))
