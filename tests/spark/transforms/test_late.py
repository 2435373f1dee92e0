from datetime import UTC, date, datetime, timedelta

from pyspark.sql import SparkSession

from spark_jobs.transforms.late import late_windows

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
SCHEMA = "event_time timestamp, kafka_time timestamp, event_date date"


def test_hours_for_which_something_came_late_are_listed_with_how_late_it_was(spark: SparkSession) -> None:
    in_time = (NOON, NOON + timedelta(minutes=10), NOON.date())
    late = (NOON + timedelta(minutes=5), NOON + timedelta(minutes=20), NOON.date())
    later = (NOON + timedelta(minutes=50), NOON + timedelta(days=1), NOON.date())

    [row] = late_windows(spark.createDataFrame([in_time, late, later], SCHEMA)).collect()

    assert (row.window_start.astimezone(UTC), row.event_date, row.events) == (NOON, date(2026, 3, 10), 2)
    assert (row.first_arrival.astimezone(UTC), row.last_arrival.astimezone(UTC)) == (late[1], later[1])
    assert row.most_late_seconds == 23 * 3600 + 600
