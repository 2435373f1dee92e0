"""What is observed of the lake and the streams as a whole: ``ops.observations``, replaced as a whole at each look.

Its suite in ``expectations/`` says what is right. Validation looks before it checks that suite.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any, Final

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from include.config import Settings
from include.messaging.topics import end_offsets
from include.names import SILVER_BY_TOPIC, Query, Table
from include.supervision.heartbeat import read_heartbeat
from spark_jobs.io import read, table_exists, write
from spark_jobs.transforms.observations import SCHEMA, drift, holes, volume

# Columns of few values whose shares say when a sender changed something.
DRIFTING: Final = {
    Table.SILVER_USER_EVENTS: ("event_type", "device_type"),
    Table.SILVER_PURCHASES: ("payment_method", "currency"),
    Table.SILVER_CUSTOMER_FEEDBACK: ("rating",),
}
_BRONZE_DAYS: Final = 2
# Seconds that a part may be behind what was there before it: streams are live, silver is made every hour.
STREAM_SECONDS: Final = 60.0
SILVER_SECONDS: Final = 7_200.0


def observe(spark: SparkSession, settings: Settings, now: datetime | None = None) -> None:
    """Look, and put what was seen in the place of what was seen before.

    Raises:
        PartUnavailableError: If Kafka does not answer.
    """
    moment = now or datetime.now(UTC)
    facts = [*_of_silver(spark, settings, moment), *_of_streams(settings, moment)]
    rows = reduce(DataFrame.unionByName, _of_tables(spark, settings, moment), spark.createDataFrame(facts, SCHEMA))
    write(rows.coalesce(1), Table.OBSERVATIONS, settings, mode="overwrite", options={"overwriteSchema": "true"})


def _of_tables(spark: SparkSession, settings: Settings, now: datetime) -> Iterator[DataFrame]:
    for table in SILVER_BY_TOPIC.values():
        if table_exists(spark, table, settings):
            events = read(spark, table, settings)
            yield volume(events, table.value, now)
            for column in DRIFTING.get(table, ()):
                yield drift(events, column, table.value, now)
    if table_exists(spark, Table.BRONZE_EVENTS, settings):
        yield holes(_recent(spark, settings, now))


def _recent(spark: SparkSession, settings: Settings, now: datetime) -> DataFrame:
    since = (now - timedelta(days=_BRONZE_DAYS)).date()
    return read(spark, Table.BRONZE_EVENTS, settings).where(F.col("arrival_date") >= F.lit(since))


def _fact(kind: str, subject: str, now: datetime, value: float, allowed: float) -> tuple[Any, ...]:
    return (kind, subject, None, float(value), None, None, float(allowed), now.date())


def _of_silver(spark: SparkSession, settings: Settings, now: datetime) -> Iterator[tuple[Any, ...]]:
    """How much of bronze, in seconds of arrival, silver has not seen."""
    if not table_exists(spark, Table.BRONZE_EVENTS, settings):
        return
    newest = {
        row["topic"]: row["newest"]
        for row in _recent(spark, settings, now).groupBy("topic").agg(F.max("kafka_time").alias("newest")).collect()
    }
    for topic, table in SILVER_BY_TOPIC.items():
        if topic.value in newest and table_exists(spark, table, settings):
            seen = read(spark, table, settings).agg(F.max("kafka_time").alias("newest")).first()["newest"]
            behind = (newest[topic.value] - seen).total_seconds() if seen else SILVER_SECONDS + 1
            yield _fact("behind", table.value, now, max(behind, 0), SILVER_SECONDS)


def _of_streams(settings: Settings, now: datetime) -> Iterator[tuple[Any, ...]]:
    """For each stream that ever ran: seconds that records wait for it, and rows that its watermark dropped."""
    ends = end_offsets(settings)
    for query in Query:
        beat = read_heartbeat(settings, query)
        if beat is None:
            continue
        waits = now.timestamp() - beat.offsets_moved_at if beat.lag(ends) else 0
        yield _fact("behind", query.value, now, max(waits, 0), STREAM_SECONDS + beat.quiet_seconds)
        if beat.lacks_rows or query is Query.LIVE_METRICS:
            yield _fact("dropped", query.value, now, beat.dropped_by_watermark, 0)
