"""Tables looked at as a whole: volume by hour, drift of shares, holes in bronze, age; one row for each observation."""

from datetime import datetime, timedelta
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

SCHEMA: Final = (
    "kind string, subject string, hour timestamp, value double, usual double, ratio double, allowed double, "
    "event_date date"
)
# Days before that say what is usual, and how many of them must have the hour to say it.
_BEFORE_DAYS: Final = 7
_LEAST_DAYS: Final = 3
# A share of which there is nothing would make the index infinite.
_LEAST_SHARE: Final = 1e-4
# Fewer events say nothing: a ratio or a share of them is chance.
LEAST_IN_HOUR: Final = 20
LEAST_IN_DAY: Final = 200


def _row(kind: str, subject: str | Column, **values: Column) -> list[Column]:
    given = {"hour": F.lit(None).cast("timestamp"), **{name: F.lit(None).cast("double") for name in _NUMBERS}, **values}
    named = F.lit(subject) if isinstance(subject, str) else subject
    return [
        F.lit(kind).alias("kind"),
        named.alias("subject"),
        given["hour"].cast("timestamp").alias("hour"),
        *(given[name].cast("double").alias(name) for name in _NUMBERS),
        F.current_date().alias("event_date"),
    ]


_NUMBERS: Final = ("value", "usual", "ratio", "allowed")


def volume(events: DataFrame, subject: str, now: datetime, least: int = LEAST_IN_HOUR) -> DataFrame:
    """Events of each closed hour of the last day beside the median of the same hour of the seven days before.

    Hours of which fewer than three of these days have events are left out: nobody knows what is usual then.

    Args:
        events: Rows with ``event_time`` and ``event_date``.
        subject: What they are called.
        now: The present.
        least: Usual events that an hour must have.
    """
    closed = now.replace(minute=0, second=0, microsecond=0)
    hours = (
        events.where(F.col("event_date") >= F.lit((closed - timedelta(days=_BEFORE_DAYS + 1)).date()))
        .where(F.col("event_time") < F.lit(closed))
        .groupBy(F.date_trunc("hour", "event_time").alias("hour"))
        .agg(F.count(F.lit(1)).alias("events"))
    )
    recent, earlier = hours.alias("now"), hours.alias("before")
    gap = F.unix_timestamp("now.hour") - F.unix_timestamp("before.hour")
    same_hour = (gap > 0) & (gap <= _BEFORE_DAYS * 86_400) & (gap % 86_400 == 0)
    compared = (
        recent.where(F.col("hour") >= F.lit(closed - timedelta(days=1)))
        .join(earlier, same_hour)
        .groupBy("now.hour", "now.events")
        .agg(F.median("before.events").alias("usual"), F.count(F.lit(1)).alias("days"))
        .where((F.col("days") >= _LEAST_DAYS) & (F.col("usual") >= least))
    )
    value, usual = F.col("events"), F.col("usual")
    return compared.select(*_row("volume", subject, hour=F.col("hour"), value=value, usual=usual, ratio=value / usual))


def drift(events: DataFrame, column: str, subject: str, now: datetime, least: int = LEAST_IN_DAY) -> DataFrame:
    """How far the shares of a column's values today are from those of the seven days before.

    The value is the population stability index: below 0.1 nothing has changed, above 0.25 something has.

    Args:
        events: Rows with ``event_date``.
        column: The column; one of few values.
        subject: What it is called.
        now: The present.
        least: Events that today must have, and the days before together.
    """
    today = now.date()
    counted = (
        events.where(F.col("event_date").between(F.lit(today - timedelta(days=_BEFORE_DAYS)), F.lit(today)))
        .groupBy(F.col(column).alias("kind_of"))
        .agg(
            F.count_if(F.col("event_date") == F.lit(today)).alias("now"),
            F.count_if(F.col("event_date") < F.lit(today)).alias("before"),
        )
    )
    sums = counted.agg(F.sum("now").alias("all_now"), F.sum("before").alias("all_before"))
    shares = counted.crossJoin(F.broadcast(sums)).where(f"all_now >= {least} AND all_before >= {least}")
    share_now = F.greatest(F.col("now") / F.col("all_now"), F.lit(_LEAST_SHARE))
    share_before = F.greatest(F.col("before") / F.col("all_before"), F.lit(_LEAST_SHARE))
    index = F.sum((share_now - share_before) * F.log(share_now / share_before))
    return (
        shares.agg(index.alias("index"))
        .where("index IS NOT NULL")
        .select(*_row("drift", f"{subject}.{column}", value=F.col("index")))
    )


def holes(bronze: DataFrame) -> DataFrame:
    """For each partition of a topic, offsets between the first and the last that bronze does not hold.

    Kafka gives out offsets without gaps, as long as nobody writes in transactions, which shops here do not.

    Args:
        bronze: Rows of ``bronze.events``.
    """
    span = F.max("offset") - F.min("offset") + 1
    by_partition = bronze.groupBy("topic", "partition").agg((span - F.count_distinct("offset")).alias("holes"))
    name = F.concat_ws("-", "topic", F.col("partition").cast("string"))
    return by_partition.select(*_row("holes", name, value=F.col("holes")))
