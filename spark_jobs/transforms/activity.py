"""Who is active: mergeable sketches of users and sessions for each minute."""

from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from include.names import Topic

WINDOW_SECONDS: Final = 60
# log2 of the sketch's buckets: a relative error of about 1.6 %, at most 4 KiB each.
LG_K: Final = 12

_COUNTED: Final = {
    "users": "user_id",
    "active_sessions": "session_id",
    "cart_sessions": "CASE WHEN event_type = 'add_to_cart' THEN session_id END",
    "buying_sessions": "CASE WHEN event_type = 'order_placed' THEN session_id END",
}


def activity_by_minute(events: DataFrame) -> DataFrame:
    """Estimate distinct users and sessions of user events and purchases, by minute of event time.

    Args:
        events: Conformed events; duplicates change nothing.

    Returns:
        ``window_start``, the four estimates of the architecture, and their HLL sketches as ``<name>_sketch``, which
        merge into any span of minutes.
    """
    shoppers = events.where(F.col("topic").isin(Topic.USER_EVENTS, Topic.PURCHASES))
    by_minute = shoppers.groupBy(F.window("event_time", f"{WINDOW_SECONDS} seconds")).agg(
        *(_sketch(value).alias(f"{name}_sketch") for name, value in _COUNTED.items())
    )
    return by_minute.select(
        F.col("window.start").alias("window_start"),
        *(F.hll_sketch_estimate(f"{name}_sketch").alias(name) for name in _COUNTED),
        *(f"{name}_sketch" for name in _COUNTED),
    )


def _sketch(value: str) -> Column:
    return F.hll_sketch_agg(F.expr(value), LG_K)
