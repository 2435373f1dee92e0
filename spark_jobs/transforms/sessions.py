"""Visits to the shop, and how far they got."""

from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

# From a visit to an order; who reached one stage counts in those before it as well.
_STAGES: Final = (
    ("viewed", "product_views"),
    ("carted", "carts"),
    ("checked_out", "checkouts"),
    ("ordered", "orders"),
)


def _count(event_type: str) -> Column:
    return F.count_if(F.col("event_type") == event_type)


def sessions(events: DataFrame) -> DataFrame:
    """One row per session and UTC day; a session that goes past midnight has a row in each of its days.

    Args:
        events: Conformed events with ``event_date``; those without a session are left out.

    Returns:
        ``event_date, session_id, user_id, device_type, country, started_at, ended_at, events, product_views, searches,
        carts, checkouts, orders``: device and country are those of its first event of the day.
    """
    first = F.struct("event_time", "topic", "partition", "offset")
    return (
        events.where(F.col("session_id").isNotNull())
        .groupBy("event_date", "session_id")
        .agg(
            *(F.min_by(name, first).alias(name) for name in ("user_id", "device_type", "country")),
            F.min("event_time").alias("started_at"),
            F.max("event_time").alias("ended_at"),
            F.count(F.lit(1)).alias("events"),
            _count("product_view").alias("product_views"),
            _count("search").alias("searches"),
            _count("add_to_cart").alias("carts"),
            _count("checkout_started").alias("checkouts"),
            _count("order_placed").alias("orders"),
        )
    )


def funnel(visits: DataFrame) -> DataFrame:
    """How many sessions of a day reached which stage, for all, by device type and by country.

    Args:
        visits: Rows of ``sessions``.

    Returns:
        ``event_date, dimension, value, sessions, viewed, carted, checked_out, ordered``, never growing from stage to
        stage.
    """
    reached: dict[str, Column] = {}
    further = F.lit(False)
    for stage, count in reversed(_STAGES):
        further = further | (F.col(count) > 0)
        reached[stage] = F.count_if(further).alias(stage)
    of = "named_struct('dimension', '{}', 'value', {})"
    entries = ", ".join(
        of.format(*pair) for pair in (("all", "'all'"), ("device", "device_type"), ("country", "country"))
    )
    counts = [name for _, name in _STAGES]
    return (
        visits.select("event_date", *counts, F.expr(f"inline(array({entries}))"))
        .where("value IS NOT NULL")
        .groupBy("event_date", "dimension", "value")
        .agg(F.count(F.lit(1)).alias("sessions"), *(reached[stage] for stage, _ in _STAGES))
    )
