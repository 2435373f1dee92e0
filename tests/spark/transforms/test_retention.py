from datetime import UTC, date, datetime
from typing import Any

from pyspark.sql import SparkSession

from spark_jobs.transforms.retention import weekly_retention


def order(user: str, day: int, kind: str = "order_placed") -> tuple[Any, ...]:
    return (user, kind, datetime(2026, 3, day, 12, tzinfo=UTC))


def test_who_ordered_first_in_a_week_is_followed_through_the_weeks_after_it(spark: SparkSession) -> None:
    orders = [
        order("ann", 3),
        order("ann", 4),
        order("ann", 10),
        order("bob", 6),
        order("cat", 11),
        order("cat", 30),
        order("dan", 12, "order_returned"),
    ]
    frame = spark.createDataFrame(orders, "user_id string, event_type string, event_time timestamp")
    found = {
        (row["cohort_week"], row["weeks_later"]): (row["customers"], row["buyers"])
        for row in weekly_retention(frame).collect()
    }
    assert found == {
        (date(2026, 3, 2), 0): (2, 2),
        (date(2026, 3, 2), 1): (2, 1),
        (date(2026, 3, 9), 0): (1, 1),
        (date(2026, 3, 9), 3): (1, 1),
    }
