"""The events that lie before a vector of offsets, and what changes between two vectors.

Silver holds of each event its first copy. Partitions are read at their own pace, so a vector may lie between two
copies: the first of them after it, another before it. Then that other copy is the event as far as the vector sees.
"""

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from include.handover.checkpoint import Offsets
from spark_jobs.batch.copies import IDENTITY, ORDER, first_copies
from spark_jobs.batch.vectors import before, within

_NOT_CONTENT = {*ORDER, "event_date", "bronze_version"}


def events_before(silver: DataFrame, duplicates: DataFrame, vector: Offsets) -> DataFrame:
    """Each event once that has a copy before the vector."""
    later = silver.where(~before(vector)).select(*IDENTITY)
    seen_earlier = duplicates.where(before(vector)).join(later, [*IDENTITY], "left_semi")
    return silver.where(before(vector)).unionByName(first_copies(seen_earlier.select(*silver.columns)))


@dataclass(frozen=True)
class Change:
    """What the step from one vector to the next does, as conformed events.

    Attributes:
        gained: Events that count now.
        lost: Copies that counted before and gave way to an earlier one that was read later.
        repeated: Copies that do not count, but that the speed layer may have counted: they came when it no longer
            remembered the first copy.
        differing: Copies that do not count and differ in content: the speed layer may have met them first.
        contested: Events among the gained of which such a differing copy exists.
        reused: Events among the gained whose id names another event too: the speed layer may have taken the one for a
            copy of the other.
    """

    gained: DataFrame
    lost: DataFrame
    repeated: DataFrame
    differing: DataFrame
    contested: DataFrame
    reused: DataFrame


def _content(events: DataFrame) -> DataFrame:
    fields = sorted(name for name in events.columns if name not in _NOT_CONTENT)
    return events.withColumn("content", F.xxhash64(*fields))


def change(silver: DataFrame, duplicates: DataFrame, start: Offsets, end: Offsets, dedup_window_seconds: int) -> Change:
    """Compare what lies before two vectors.

    Args:
        silver: Silver of the days with rows between the vectors, all families.
        duplicates: The same of the copies that do not count, with the columns of silver.
        start: The earlier vector.
        end: The later one.
        dedup_window_seconds: How long the speed layer surely remembers an id.
    """
    columns = silver.columns
    now = events_before(silver, duplicates, end)
    gained = now.where(within(start, end))
    lost = first_copies(duplicates.where(before(start)).join(gained.select(*IDENTITY), [*IDENTITY], "left_semi"))
    first = _content(now).select(
        *IDENTITY,
        F.col("kafka_time").alias("first_time"),
        F.col("content").alias("first_content"),
        F.col("partition").alias("first_partition"),
        F.col("offset").alias("first_offset"),
    )
    copies = _content(duplicates.where(within(start, end))).join(first, [*IDENTITY])
    copies = copies.where((F.col("partition") != F.col("first_partition")) | (F.col("offset") != F.col("first_offset")))
    differs = F.col("content") != F.col("first_content")
    gap = F.col("kafka_time").cast("double") - F.col("first_time").cast("double")
    differing = copies.where(differs)
    other_copies = _content(duplicates.where(before(end))).join(first, [*IDENTITY]).where(differs)
    ids = now.select("event_id", "topic", "event_date").groupBy("event_id").count().where("count > 1")
    return Change(
        gained=gained,
        lost=lost.select(*columns),
        repeated=copies.where(~differs & (gap >= dedup_window_seconds)).select(*columns),
        differing=differing.select(*columns),
        contested=gained.join(other_copies.select(*IDENTITY).distinct(), [*IDENTITY], "left_semi").select(*columns),
        reused=gained.join(ids.select("event_id"), "event_id", "left_semi").select(*columns),
    )


def touched_days(silver: DataFrame, duplicates: DataFrame, start: Offsets, end: Offsets) -> list[str]:
    """Days (ISO) of which any copy lies between the vectors."""
    days = silver.where(within(start, end)).select("event_date")
    days = days.unionByName(duplicates.where(within(start, end)).select("event_date"))
    return sorted(row[0].isoformat() for row in days.distinct().collect())
