from datetime import UTC, datetime

import datasketches
from pyspark.sql import DataFrame, SparkSession

from spark_jobs.transforms.activity import activity_by_minute

COLUMNS = "topic string, event_type string, event_time timestamp, user_id string, session_id string"
FIRST = datetime(2026, 3, 1, 10, 0, 59, tzinfo=UTC)
SECOND = datetime(2026, 3, 1, 10, 1, 0, tzinfo=UTC)
ROWS = [
    ("user-events", "page_view", FIRST, "ann", "s1"),
    ("user-events", "add_to_cart", FIRST, "bob", "s2"),
    ("purchases", "order_placed", SECOND, "bob", "s2"),
    ("customer-feedback", "review_submitted", SECOND, "eve", None),
]


def minutes(spark: SparkSession) -> DataFrame:
    return activity_by_minute(spark.createDataFrame(ROWS, COLUMNS)).orderBy("window_start")


def test_users_and_sessions_are_counted_by_minute(spark: SparkSession) -> None:
    counts = minutes(spark).select("users", "active_sessions", "cart_sessions", "buying_sessions").collect()
    assert [tuple(row) for row in counts] == [(2, 2, 1, 0), (1, 1, 0, 1)]


def test_sketches_of_minutes_merge_into_a_span(spark: SparkSession) -> None:
    union = datasketches.hll_union(12)
    for row in minutes(spark).collect():
        union.update(datasketches.hll_sketch.deserialize(bytes(row.users_sketch)))
    assert round(union.get_estimate()) == 2
