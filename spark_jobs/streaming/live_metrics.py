"""Kafka to ``metrics-speed-<n>``: sums of each micro-batch by window and dimension, which readers add up.

    spark-submit --properties-file spark_jobs/conf/live.conf spark_jobs/streaming/live_metrics.py [--once]

A document's id holds the query's id and the micro-batch's number, and Spark repeats a failed micro-batch with the same
number and offsets: a repetition writes over its own documents and adds nothing. The sums themselves need no state; only
the ids of the latest events are remembered, to count copies once. No event is too late to be counted.
"""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.streaming import StreamingQuery

from include.config import Settings
from include.handover.segments import Segment
from include.names import RAW_TOPICS, Alias, Query
from include.serving.aliases import create_index
from include.serving.bulk import Document, bulk_writer
from include.serving.client import connect, reachable
from spark_jobs.io import Stream, read, write
from spark_jobs.streaming.documents import as_text, send, stamped
from spark_jobs.streaming.driver import Running, main
from spark_jobs.streaming.once import Firsts, Once
from spark_jobs.streaming.planned import Planned
from spark_jobs.transforms.metrics import additive_metrics
from spark_jobs.transforms.parse import parse_events, valid_events

logger = logging.getLogger(__name__)

WINDOW_SECONDS: Final = 10
# What the sums need: a micro-batch shuffles whole rows, and Spark cannot see past it which columns are used.
_COLUMNS: Final = (
    "event_id",
    "event_type",
    "event_time",
    "kafka_time",
    "country",
    "device_type",
    "product_id",
    "category",
    "currency",
    "items",
    "total",
)
_SUMS: Final = ("events", "orders", "items", "returns", "sessions", "carts", "checkouts")


def additive_documents(rows: DataFrame) -> DataFrame:
    """Documents of a micro-batch's sums, without stamps, and without what names the micro-batch."""
    document_id = F.concat_ws(
        ":",
        F.unix_timestamp("window_start").cast("string"),
        F.col("dimension"),
        F.col("value"),
        F.coalesce(F.col("currency"), F.lit("-")),
    )
    return rows.select(
        *as_text(
            F.struct(F.struct(document_id.alias("_id")).alias("index")),
            F.col("window_start"),
            F.lit(WINDOW_SECONDS).alias("window_seconds"),
            F.col("dimension"),
            F.col("value"),
            F.col("currency"),
            *(F.col(name) for name in _SUMS),
            (F.col("revenue") * 100).cast("long").alias("revenue_minor"),
            (F.col("refunded") * 100).cast("long").alias("refunded_minor"),
            F.lit("speed").alias("layer"),
        )
    )


def of_batch(documents: Sequence[Document], segment: Segment, batch_id: int) -> list[Document]:
    """Name the micro-batch in its documents; their ids begin with it."""
    begin = f'{{"index":{{"_id":"{segment.query_id}:{batch_id}:'
    tail = f',"segment":{segment.number},"query_id":"{segment.query_id}","batch_id":{batch_id}}}'
    return [
        Document(begin + action.removeprefix('{"index":{"_id":"'), source[:-1] + tail) for action, source in documents
    ]


class MetricsSink:
    """Writes micro-batches of de-duplicated events as additive documents."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._settings: Settings = running.settings
        self._bulk = bulk_writer(running.settings, stop=running.stop, at_once=True)
        running.ending.callback(self._bulk.close)
        self._once = Once(running.spark, running.settings, Query.LIVE_METRICS)
        self._index = ""
        # A single part: the sums of so few rows are dearer to shuffle than to make.
        self._documents = Planned(
            lambda events: additive_documents(additive_metrics(events.coalesce(1), WINDOW_SECONDS))
        )

    def write(self, events: DataFrame, batch_id: int) -> None:
        """Write one micro-batch; writing it again changes nothing."""
        self._running.leases[Query.LIVE_METRICS].require()
        segment = self._running.segments.segment_of(batch_id)
        self._prepare(segment.index)
        started = time.monotonic()
        with self._once.firsts_of(events, batch_id) as firsts:
            documents = of_batch(self._documents.documents(firsts.events), segment, batch_id)
        self._send(documents, firsts, segment, batch_id, (time.monotonic() - started) * 1000)

    def warm_up(self, events: DataFrame, batch_id: int) -> None:
        """Remember the events of a micro-batch that somebody else has written."""
        with self._once.firsts_of(events, batch_id):
            pass

    def _send(
        self, documents: Sequence[Document], firsts: Firsts, segment: Segment, batch_id: int, compute_ms: float
    ) -> None:
        if not documents:
            return
        self._running.leases[Query.LIVE_METRICS].require()
        started = time.monotonic()
        documents = stamped(documents, firsts.stamps, datetime.now(UTC))
        result = send(self._running.spark, self._settings, self._bulk, segment.index, documents)
        logger.info(
            "query=live_metrics batch=%s segment=%s events=%s copies=%s documents=%s refused=%s compute_ms=%.0f "
            "index_ms=%.0f",
            *(batch_id, segment.number, firsts.count, firsts.copies, result.written, len(result.refused)),
            *(compute_ms, (time.monotonic() - started) * 1000),
        )

    def _prepare(self, index: str) -> None:
        if index == self._index:
            return
        with reachable(self._settings), connect(self._settings) as client:
            create_index(client, index, behind=Alias.METRICS)
        self._index = index


def start(running: Running) -> StreamingQuery:
    """Start the query."""
    records = read(running.spark, RAW_TOPICS, running.settings, stream=True)
    events = valid_events(parse_events(records, _COLUMNS)).select(*_COLUMNS)
    sink = MetricsSink(running)
    query = write(
        events,
        sink.write,
        running.settings,
        stream=Stream(Query.LIVE_METRICS, running.every(Query.LIVE_METRICS), warm_up=sink.warm_up),
    )
    assert query is not None
    return query


if __name__ == "__main__":
    main("live-metrics", {Query.LIVE_METRICS: start})
