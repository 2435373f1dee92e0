"""The events that lie before a vector of offsets, and what changes between two vectors.

Silver holds of each event its first copy. Partitions are read at their own pace, so a vector may lie between two
copies: the first of them after it, another before it. Then that other copy is the event as far as the vector sees.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from include.handover.cells import Kind
from include.handover.checkpoint import Offsets
from spark_jobs.batch.copies import IDENTITY, ORDER, first_copies
from spark_jobs.batch.vectors import before, within

_NOT_CONTENT = {*ORDER, "event_date", "bronze_version"}


def events_before(silver: DataFrame, duplicates: DataFrame, vector: Offsets) -> DataFrame:
    """Each event once that has a copy before the vector."""
    if duplicates.isEmpty():
        return silver.where(before(vector))
    later = silver.where(~before(vector)).select(*IDENTITY)
    seen_earlier = duplicates.where(before(vector)).join(later, [*IDENTITY], "left_semi")
    return silver.where(before(vector)).unionByName(first_copies(seen_earlier.select(*silver.columns)))


def _content(events: DataFrame) -> DataFrame:
    fields = sorted(name for name in events.columns if name not in _NOT_CONTENT)
    return events.withColumn("content", F.xxhash64(*fields))


def change(
    silver: DataFrame, duplicates: DataFrame, start: Offsets, end: Offsets, dedup_window_seconds: int
) -> dict[Kind, DataFrame]:
    """What the step from one vector to the next does, as conformed events by kind.

    Args:
        silver: Silver of the days with rows between the vectors, all families.
        duplicates: The same of the copies that do not count, with the columns of silver.
        start: The earlier vector.
        end: The later one.
        dedup_window_seconds: How long the speed layer surely remembers an id.

    Returns:
        The events of each kind that there may be; the gained always.
    """
    now = events_before(silver, duplicates, end)
    gained = now.where(within(start, end))
    found = {Kind.GAINED: gained}
    # Few, if any: computed once.
    reused = now.groupBy("event_id").count().where("count > 1").select("event_id").localCheckpoint()
    if not reused.isEmpty():
        found[Kind.REUSED] = gained.join(F.broadcast(reused), "event_id", "left_semi")
    if not duplicates.isEmpty():
        found |= _of_copies(now, gained, duplicates, start, end, dedup_window_seconds)
    return {kind: events.select(*silver.columns) for kind, events in found.items()}


def _of_copies(
    now: DataFrame, gained: DataFrame, duplicates: DataFrame, start: Offsets, end: Offsets, dedup_window_seconds: int
) -> dict[Kind, DataFrame]:
    found: dict[Kind, DataFrame] = {}
    copied = F.broadcast(duplicates.select(*IDENTITY).distinct())
    # The only look at whole events; few of them have copies, and what follows is done with those.
    first = _content(now.join(copied, [*IDENTITY], "left_semi")).select(
        *IDENTITY,
        F.col("kafka_time").alias("first_time"),
        F.col("content").alias("first_content"),
        F.col("partition").alias("first_partition"),
        F.col("offset").alias("first_offset"),
    )
    seen = _content(duplicates.where(before(end))).join(first, [*IDENTITY]).localCheckpoint()
    copies = seen.where(within(start, end))
    copies = copies.where((F.col("partition") != F.col("first_partition")) | (F.col("offset") != F.col("first_offset")))
    differs = F.col("content") != F.col("first_content")
    gap = F.col("kafka_time").cast("double") - F.col("first_time").cast("double")
    found[Kind.REPEATED] = copies.where(~differs & (gap >= dedup_window_seconds))
    counted_before = duplicates.where(before(start))
    if not counted_before.isEmpty():
        ids = F.broadcast(counted_before.select(*IDENTITY).distinct())
        again = gained.select(*IDENTITY).join(ids, [*IDENTITY], "left_semi")
        found[Kind.LOST] = first_copies(counted_before.join(again, [*IDENTITY], "left_semi"))
    differing = seen.where(differs)
    if not differing.isEmpty():
        ids = F.broadcast(differing.select(*IDENTITY).distinct())
        found[Kind.DIFFERING] = copies.where(differs)
        found[Kind.CONTESTED] = gained.join(ids, [*IDENTITY], "left_semi")
    return found


def touched_days(silver: DataFrame, duplicates: DataFrame, start: Offsets, end: Offsets) -> list[str]:
    """Days (ISO) of which any copy lies between the vectors, in order."""
    between = within(start, end)
    days = silver.where(between).select("event_date").unionByName(duplicates.where(between).select("event_date"))
    return sorted(row[0].isoformat() for row in days.distinct().collect())
