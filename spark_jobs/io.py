"""The one function that reads and the one that writes, for streams and for batches."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming import StreamingQuery

from include.config import Settings
from include.handover.checkpoint import query_id_of
from include.messaging.connection import jvm
from include.names import Query, Table, Topic
from spark_jobs.checkpoints import require_same_state, without_warm_up

BatchWriter = Callable[[DataFrame, int], None]
Options = Mapping[str, str]
OutputMode = Literal["append", "update"]

NO_OPTIONS: Final[Options] = {}
# Pools of the fair scheduler, as in spark_jobs/conf/pools.xml.
_OWN_POOL: Final = frozenset({Query.LIVE_METRICS, Query.FRAUD_INSTANT})
_SHARED_POOL: Final = "others"
_KAFKA_DEFAULTS: Final[Options] = {"startingOffsets": "earliest", "includeHeaders": "true"}
# A micro-batch reads only what is there. The client asks for more in advance, though, and the broker would keep that
# request for half a second, and behind it, on the same connection, the next partition's or micro-batch's questions.
_NO_WAIT: Final[Options] = {"kafka.fetch.max.wait.ms": "1"}


@dataclass(frozen=True)
class Stream:
    """How a streaming query runs.

    Attributes:
        query: Its name; also that of its checkpoint.
        every: Pause between starts of micro-batches, as Spark writes intervals (``"3 seconds"``); None drains what is
            there and ends.
        options: Further options of the writer, for example ``txnAppId``.
        output: Spark's output mode: ``append``, or ``update`` for results that change.
        real_time: Run in Real-Time Mode, in which rows do not wait for a micro-batch; ``every`` is then the pause
            between checkpoints. A query that drains does not.
        warm_up: Takes the micro-batch that only fills what a query knows when it began anew; by default Spark computes
            it, and keeps its state.
    """

    query: Query
    every: str | None
    options: Options = field(default_factory=dict)
    output: OutputMode = "append"
    real_time: bool = False
    warm_up: BatchWriter | None = None


def read(
    spark: SparkSession,
    source: Table | Sequence[Topic],
    settings: Settings,
    *,
    stream: bool = False,
    real_time: bool = False,
    options: Options = NO_OPTIONS,
) -> DataFrame:
    """Read a Delta table or Kafka topics; records of topics have the columns of ``bronze.events`` but the date.

    Args:
        spark: The session.
        source: A table, or the topics to read together.
        settings: Says where lake and brokers are.
        stream: Read as a stream.
        real_time: The stream is for Real-Time Mode, which has one task for each partition.
        options: Options of the Delta or Kafka source, for example ``{"versionAsOf": "3"}``.
    """
    reader = spark.readStream if stream else spark.read
    if isinstance(source, Table):
        return reader.format("delta").options(**options).load(settings.table_path(source))
    kafka = {
        **_KAFKA_DEFAULTS,
        **(NO_OPTIONS if real_time else _NO_WAIT),
        **_brokers(settings),
        "subscribe": ",".join(source),
        **options,
    }
    if "assign" in kafka or "subscribePattern" in kafka:
        del kafka["subscribe"]
    records = _records(reader.format("kafka").options(**kafka).load())
    return records.coalesce(_parallelism(spark)) if stream and not real_time else records


def _parallelism(spark: SparkSession) -> int:
    # A task for each Kafka partition would have each of them set up the same large expressions for a handful of rows.
    return int(spark.conf.get("spark.sql.shuffle.partitions") or 2)


def table_exists(spark: SparkSession, table: Table, settings: Settings) -> bool:
    """Whether a Delta table was ever written."""
    return bool(DeltaTable.isDeltaTable(spark, settings.table_path(table)))


def _records(kafka: DataFrame) -> DataFrame:
    return kafka.select(
        "topic", "partition", "offset", F.col("timestamp").alias("kafka_time"), "key", "value", "headers"
    )


def write(
    frame: DataFrame,
    target: Table | Topic | BatchWriter,
    settings: Settings,
    *,
    stream: Stream | None = None,
    mode: str = "append",
    partition_by: Sequence[str] = (),
    options: Options = NO_OPTIONS,
) -> StreamingQuery | None:
    """Write a frame to a Delta table, to a Kafka topic, or each micro-batch of it to a function.

    Args:
        frame: What to write.
        target: A topic, to which ``key`` and ``value`` go; for batches also a table; for streams also a function of a
            micro-batch and its number.
        settings: Says where lake and checkpoints are.
        stream: How to run the query; asked for exactly when the frame is a stream.
        mode: ``append`` or, for batches, ``overwrite``.
        partition_by: Partition columns, used when the table is created.
        options: Options of a batch write, for example ``{"replaceWhere": "..."}``.

    Returns:
        The started query of a stream, None for a batch, which is written when this returns.

    Raises:
        ConfigurationError: If a stream cannot go on from its checkpoint; says why, and the way out.
    """
    if frame.isStreaming:
        if stream is None or isinstance(target, Table):
            raise TypeError("a stream is written to a topic or a function, with stream=Stream(query, every)")
        return _start(frame, target, settings, stream)
    if isinstance(target, Topic):
        frame.write.format("kafka").options(**_kafka_target(target, settings)).save()
        return None
    if not isinstance(target, Table):
        raise TypeError("a batch is written to a table or a topic")
    writer = frame.write.format("delta").mode(mode).options(**options)
    if partition_by:
        writer = writer.partitionBy(*partition_by)
    writer.save(settings.table_path(target))
    return None


def each_once(settings: Settings, query: Query, batch_id: int) -> Options:
    """Options with which a table takes each micro-batch of a query once, by its number."""
    return {"txnAppId": query_id_of(Path(settings.checkpoint_path(query))), "txnVersion": str(batch_id)}


def _brokers(settings: Settings) -> Options:
    return {f"kafka.{name}": value for name, value in jvm(settings).items()}


def _kafka_target(topic: Topic, settings: Settings) -> Options:
    return {**_brokers(settings), "topic": topic.value}


def _trigger(stream: Stream) -> dict[str, Any]:
    if stream.every is None:
        return {"availableNow": True}
    return {"realTime": stream.every} if stream.real_time else {"processingTime": stream.every}


def _start(
    frame: DataFrame,
    target: Topic | BatchWriter,
    settings: Settings,
    stream: Stream,
) -> StreamingQuery:
    checkpoint = settings.checkpoint_path(stream.query)
    require_same_state(frame, Path(checkpoint), stream.query)
    # Spark takes the pool of the thread that starts the query.
    pool = stream.query.value if stream.query in _OWN_POOL else _SHARED_POOL
    frame.sparkSession.sparkContext.setLocalProperty("spark.scheduler.pool", pool)
    writer = (
        frame.writeStream.queryName(stream.query)
        .option("checkpointLocation", checkpoint)
        .options(**stream.options)
        .outputMode(stream.output)
        .trigger(**_trigger(stream))
    )
    if isinstance(target, Topic):
        return writer.format("kafka").options(**_kafka_target(target, settings)).start()
    return writer.foreachBatch(without_warm_up(target, Path(checkpoint), stream.warm_up)).start()
