"""What arrived late: the ledger of windows that were opened again."""

from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

# An event that arrives so long after it happened finds its windows looked at, and maybe reported on.
LATE_MINUTES: Final = 10


def late_windows(events: DataFrame) -> DataFrame:
    """One row for each hour of event time for which something arrived late.

    Args:
        events: Conformed events with ``event_date``; each counts.

    Returns:
        ``window_start`` (of the hour), ``event_date``, ``events``, ``first_arrival``, ``last_arrival`` and
        ``most_late_seconds``.
    """
    delay = F.col("kafka_time").cast("double") - F.col("event_time").cast("double")
    late = events.withColumn("delay", delay).where(F.col("delay") > LATE_MINUTES * 60)
    by_hour = late.groupBy(F.date_trunc("hour", "event_time").alias("window_start"), "event_date").agg(
        F.count(F.lit(1)).alias("events"),
        F.min("kafka_time").alias("first_arrival"),
        F.max("kafka_time").alias("last_arrival"),
        F.max("delay").cast("long").alias("most_late_seconds"),
    )
    return by_hour.select("window_start", "event_date", "events", "first_arrival", "last_arrival", "most_late_seconds")
