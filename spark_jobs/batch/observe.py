"""What is observed of the lake and the streams as a whole: ``ops.observations``, replaced as a whole at each look.

Its suite in ``expectations/`` says what is right. Validation looks before it checks that suite. Each table is read in
one pass, into counts that are few.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from include.config import Settings
from include.messaging.topics import end_offsets
from include.names import SILVER_BY_TOPIC, Query, Table
from include.quality.observations import BEFORE_DAYS, SCHEMA, Observation, drift, volume
from include.supervision.heartbeat import read_heartbeat
from spark_jobs.io import read, table_exists, write

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
    seen = [*of_lake(spark, settings, moment), *of_streams(settings, moment)]
    rows = spark.createDataFrame([one.row(moment.date()) for one in seen], SCHEMA)
    write(rows.coalesce(1), Table.OBSERVATIONS, settings, mode="overwrite", options={"overwriteSchema": "true"})


def of_lake(spark: SparkSession, settings: Settings, now: datetime) -> Iterator[Observation]:
    """What bronze and silver look like."""
    newest: dict[str, datetime] = {}
    if table_exists(spark, Table.BRONZE_EVENTS, settings):
        for observation, topic, time in _of_bronze(spark, settings, now):
            newest[topic] = max(newest.get(topic, time), time)
            yield observation
    for topic, table in SILVER_BY_TOPIC.items():
        if table_exists(spark, table, settings):
            yield from _of_silver(spark, settings, table, newest.get(topic.value), now)


def _of_bronze(spark: SparkSession, settings: Settings, now: datetime) -> Iterator[tuple[Observation, str, datetime]]:
    """Offsets between the first and the last of each partition that bronze lacks, and its newest record.

    Kafka gives out offsets without gaps, as long as nobody writes in transactions, which shops here do not.
    """
    since = (now - timedelta(days=_BRONZE_DAYS)).date()
    rows = read(spark, Table.BRONZE_EVENTS, settings).where(F.col("arrival_date") >= F.lit(since))
    holes = F.max("offset") - F.min("offset") + 1 - F.count_distinct("offset")
    newest = F.unix_micros(F.max("kafka_time")).alias("newest")
    for row in rows.groupBy("topic", "partition").agg(holes.alias("holes"), newest).collect():
        time = datetime.fromtimestamp(row["newest"] / 1_000_000, UTC)
        yield Observation("holes", f"{row['topic']}-{row['partition']}", row["holes"]), row["topic"], time


def _of_silver(
    spark: SparkSession, settings: Settings, table: Table, archived: datetime | None, now: datetime
) -> Iterator[Observation]:
    columns = DRIFTING.get(table, ())
    since = (now - timedelta(days=BEFORE_DAYS + 1)).date()
    counted = (
        read(spark, table, settings)
        .where(F.col("event_date") >= F.lit(since))
        .groupBy("event_date", F.unix_seconds(F.date_trunc("hour", "event_time")).alias("hour"), *columns)
        .agg(F.count(F.lit(1)).alias("events"), F.unix_micros(F.max("kafka_time")).alias("newest"))
        .collect()
    )
    hours: Counter[datetime] = Counter()
    for row in counted:
        hours[datetime.fromtimestamp(row["hour"], UTC)] += row["events"]
    yield from volume(hours, table.value, now)
    for column in columns:
        today: Counter[object] = Counter()
        before: Counter[object] = Counter()
        for row in counted:
            (today if row["event_date"] == now.date() else before)[row[column]] += row["events"]
        yield from drift(today, before, f"{table.value}.{column}")
    if archived is not None and counted:
        behind = archived.timestamp() - max(row["newest"] for row in counted) / 1_000_000
        yield Observation("behind", table.value, max(behind, 0), allowed=SILVER_SECONDS)


def of_streams(settings: Settings, now: datetime) -> Iterator[Observation]:
    """For each stream that ever ran: seconds that records wait for it."""
    ends = end_offsets(settings)
    for query in Query:
        beat = read_heartbeat(settings, query)
        if beat is None:
            continue
        waits = now.timestamp() - beat.offsets_moved_at if beat.lag(ends) else 0
        yield Observation("behind", query.value, max(waits, 0), allowed=STREAM_SECONDS + beat.quiet_seconds)
