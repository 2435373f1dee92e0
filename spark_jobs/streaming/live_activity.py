"""Kafka to ``metrics-activity-<n>``: distinct users and sessions of each minute, as estimates and mergeable sketches.

    spark-submit --properties-file spark_jobs/conf/live.conf spark_jobs/streaming/live_activity.py [--once]

A minute has one document, whose version is the micro-batch's number: a repeated or older micro-batch cannot undo a
newer one, and the batch layer, which writes far larger versions, is never undone. Copies of an event change nothing in
a set, so none are removed. A minute is kept open for an hour of event time; what comes later is counted in the
heartbeat and left to the batch layer.
"""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.streaming import StreamingQuery

from include.names import Alias, Query, Topic
from include.serving.aliases import create_index, numbered
from include.serving.bulk import bulk_writer
from include.serving.client import connect, reachable
from include.serving.indices import ACTIVITY_PREFIX
from include.supervision.beginning import beginning_of
from spark_jobs.io import Stream, read, write
from spark_jobs.streaming.documents import as_text, collect, send, stamped
from spark_jobs.streaming.driver import Running, main
from spark_jobs.transforms.activity import WINDOW_SECONDS, activity_by_minute
from spark_jobs.transforms.parse import parse_events, valid_events

logger = logging.getLogger(__name__)

_OPEN_FOR: Final = "1 hour"
_ESTIMATES: Final = ("users", "active_sessions", "cart_sessions", "buying_sessions")
_COLUMNS: Final = ("topic", "event_type", "event_time", "user_id", "session_id")


def activity_documents(minutes: DataFrame, batch_id: int, version: int) -> DataFrame:
    """Documents of the minutes that a micro-batch changed, without stamps."""
    action = F.struct(
        F.date_format("window_start", "yyyy-MM-dd'T'HH:mm:ss'Z'").alias("_id"),
        F.lit(version).cast("long").alias("version"),
        F.lit("external_gte").alias("version_type"),
    )
    return minutes.select(
        *as_text(
            F.struct(action.alias("index")),
            F.col("window_start"),
            F.lit(WINDOW_SECONDS).alias("window_seconds"),
            F.lit("activity").alias("dimension"),
            F.lit("all").alias("value"),
            F.lit("speed").alias("layer"),
            F.lit(batch_id).cast("long").alias("batch_id"),
            *(F.col(name) for name in _ESTIMATES),
            *(F.base64(f"{name}_sketch").alias(f"{name}_sketch") for name in _ESTIMATES),
        )
    )


class ActivitySink:
    """Writes the minutes that changed in each micro-batch."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._bulk = bulk_writer(running.settings, stop=running.stop)
        running.ending.callback(self._bulk.close)
        self._index = numbered(ACTIVITY_PREFIX, 1)
        self._is_there = False
        begun = beginning_of(Path(running.settings.checkpoint_path(Query.LIVE_ACTIVITY)))
        self._batches_before = begun.batches_before if begun else 0

    def write(self, minutes: DataFrame, batch_id: int) -> None:
        """Write one micro-batch; writing it again changes nothing."""
        running = self._running
        running.leases[Query.LIVE_ACTIVITY].require()
        if not self._is_there:
            with reachable(running.settings), connect(running.settings) as client:
                create_index(client, self._index, behind=Alias.METRICS)
            self._is_there = True
        version = self._batches_before + batch_id + 1
        documents = stamped(collect(activity_documents(minutes, batch_id, version)), None, datetime.now(UTC))
        result = send(running.spark, running.settings, self._bulk, self._index, documents)
        logger.info(
            "query=live_activity batch=%s written=%s superseded=%s", batch_id, result.written, result.superseded
        )


def start(running: Running) -> StreamingQuery:
    """Start the query."""
    records = read(running.spark, [Topic.USER_EVENTS, Topic.PURCHASES], running.settings, stream=True)
    events = valid_events(parse_events(records, _COLUMNS)).select(*_COLUMNS).withWatermark("event_time", _OPEN_FOR)
    query = write(
        activity_by_minute(events),
        ActivitySink(running).write,
        running.settings,
        stream=Stream(Query.LIVE_ACTIVITY, running.every(Query.LIVE_ACTIVITY), output="update"),
    )
    assert query is not None
    return query


if __name__ == "__main__":
    main("live-activity", {Query.LIVE_ACTIVITY: start})
