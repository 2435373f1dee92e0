"""Takes what Spark tells of each query, and keeps the queries' heartbeats."""

import json
import logging
import os
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from pyspark.sql import SparkSession

from include.config import Settings
from include.names import Query
from include.supervision.heartbeat import Heartbeat, read_heartbeat, write_heartbeat
from include.supervision.progress import advance
from spark_jobs.streaming.counts import SinkCounts

logger = logging.getLogger(__name__)

_LAST_WORD_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.02


class ProgressListener:
    """Keeps the heartbeats. Spark's events wait in the JVM until ``take`` is called; one thread calls it."""

    def __init__(
        self, spark: SparkSession, settings: Settings, triggers_ms: dict[Query, int | None], counts: SinkCounts
    ) -> None:
        jvm = spark._jvm
        assert jvm is not None
        self._streams = spark.streams
        self._queue = jvm.realtimedataplatform.ProgressQueue()
        self._settings = settings
        self._triggers_ms = triggers_ms
        self._counts = counts
        self._names: dict[str, Query] = {}
        self._lock = threading.Lock()
        self._beats: dict[Query, Heartbeat] = {}

    def start(self) -> None:
        """Begin to listen."""
        self._streams._jsqm.addListener(self._queue)

    def stop(self, queries: Iterable[Query]) -> None:
        """Take the last words of queries that have ended, and listen no more."""
        deadline = time.monotonic() + _LAST_WORD_SECONDS
        self.take()
        # Spark tells of an end after it has come.
        while any(self._beats[query].ended is None for query in queries) and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
            self.take()
        self._streams._jsqm.removeListener(self._queue)

    def heartbeats(self) -> list[Heartbeat]:
        """The latest heartbeat of each query."""
        with self._lock:
            return list(self._beats.values())

    def take(self) -> None:
        """Bring the heartbeats up to date."""
        for line in self._queue.take().splitlines():
            kind, _, text = line.partition(" ")
            event = json.loads(text)
            {
                "started": self._started,
                "progress": self._progressed,
                "idle": self._idled,
                "terminated": self._terminated,
            }[kind](event)

    def refused(self, query: Query, why: str) -> None:
        """Note why a query did not start: health checks tell it."""
        now = time.time()
        before = read_heartbeat(self._settings, query)
        beat = before or Heartbeat(query=query.value, query_id="", pid=os.getpid(), started_at=now, updated_at=now)
        self._keep(query, replace(beat, pid=os.getpid(), updated_at=now, ended=why))

    def _keep(self, query: Query, heartbeat: Heartbeat) -> None:
        with self._lock:
            self._beats[query] = heartbeat
        write_heartbeat(self._settings, query, heartbeat)

    def _started(self, event: dict[str, Any]) -> None:
        query, now = Query(event["name"]), time.time()
        self._names[event["id"]] = query
        before = read_heartbeat(self._settings, query)
        # A query that finds nothing new says nothing of where it stands: it stands where it ended.
        reached = before.end_offsets if before and before.query_id == event["id"] else {}
        self._keep(
            query,
            Heartbeat(
                query=query.value,
                query_id=event["id"],
                pid=os.getpid(),
                started_at=now,
                updated_at=now,
                trigger_ms=self._triggers_ms.get(query),
                end_offsets=reached,
                offsets_moved_at=now,
            ),
        )

    def _progressed(self, progress: dict[str, Any]) -> None:
        query = Query(progress["name"])
        share = self._counts.rejected_share(int(progress["numInputRows"])) if query is Query.DEAD_LETTERS else 0.0
        too_late = self._counts.take_too_late(query)
        beat = advance(self._beats[query], progress, time.time(), rejected_share=share, too_late=too_late)
        self._keep(query, beat)
        logger.info(
            "query=%s batch=%s rows=%s batch_ms=%s too_late=%s",
            query,
            beat.batch_id,
            progress["numInputRows"],
            beat.batch_ms,
            beat.too_late,
        )

    def _idled(self, event: dict[str, Any]) -> None:
        query = self._names[event["id"]]
        self._keep(query, replace(self._beats[query], updated_at=time.time()))

    def _terminated(self, event: dict[str, Any]) -> None:
        query = self._names[event["id"]]
        self._keep(query, replace(self._beats[query], updated_at=time.time(), ended=event.get("exception") or ""))
