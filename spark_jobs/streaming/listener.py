"""Tells what each query does: its heartbeat file at each progress, and ``pipeline-health`` every few seconds."""

import json
import logging
import os
import threading
import time
from dataclasses import replace
from typing import Any, Final

from elastic_transport import TransportError
from elasticsearch import ApiError
from elasticsearch.helpers import BulkIndexError
from pyspark.sql.streaming.listener import StreamingQueryListener

from include.config import Settings
from include.errors import PartUnavailableError
from include.handover.checkpoint import Offsets
from include.messaging.topics import end_offsets
from include.names import Query
from include.serving.client import connect
from include.serving.pipeline_health import publish
from include.supervision.heartbeat import Heartbeat, read_heartbeat, write_heartbeat
from include.supervision.progress import advance, record_of
from spark_jobs.streaming.counts import SinkCounts

logger = logging.getLogger(__name__)

_PUBLISH_SECONDS: Final = 10.0


class ProgressListener(StreamingQueryListener):  # type: ignore[misc]  # mypy skips pyspark, see pyproject.toml
    """Keeps the heartbeats. Spark calls it from one thread; a slow Elasticsearch does not hold that thread up."""

    def __init__(self, settings: Settings, triggers_ms: dict[Query, int | None], counts: SinkCounts) -> None:
        self._settings = settings
        self._triggers_ms = triggers_ms
        self._counts = counts
        self._names: dict[str, Query] = {}
        self._lock = threading.Lock()
        self._beats: dict[Query, Heartbeat] = {}

    def heartbeats(self) -> list[Heartbeat]:
        """The latest heartbeat of each query."""
        with self._lock:
            return list(self._beats.values())

    def _keep(self, query: Query, heartbeat: Heartbeat) -> None:
        with self._lock:
            self._beats[query] = heartbeat
        write_heartbeat(self._settings, query, heartbeat)

    def onQueryStarted(self, event: Any) -> None:  # noqa: N802
        """Begin a query's heartbeat."""
        query, now = Query(event.name), time.time()
        self._names[str(event.id)] = query
        before = read_heartbeat(self._settings, query)
        # A query that finds nothing new says nothing of where it stands: it stands where it ended.
        reached = before.end_offsets if before and before.query_id == str(event.id) else {}
        self._keep(
            query,
            Heartbeat(
                query=query.value,
                query_id=str(event.id),
                pid=os.getpid(),
                started_at=now,
                updated_at=now,
                trigger_ms=self._triggers_ms.get(query),
                end_offsets=reached,
                offsets_moved_at=now,
            ),
        )

    def refused(self, query: Query, why: str) -> None:
        """Note why a query did not start: health checks tell it."""
        now = time.time()
        before = read_heartbeat(self._settings, query)
        beat = before or Heartbeat(query=query.value, query_id="", pid=os.getpid(), started_at=now, updated_at=now)
        self._keep(query, replace(beat, pid=os.getpid(), updated_at=now, ended=why))

    def onQueryProgress(self, event: Any) -> None:  # noqa: N802
        """Advance a query's heartbeat."""
        progress = json.loads(event.progress.json)
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

    def onQueryIdle(self, event: Any) -> None:  # noqa: N802
        """Note that an idle query lives."""
        query = self._names[str(event.id)]
        self._keep(query, replace(self._beats[query], updated_at=time.time()))

    def onQueryTerminated(self, event: Any) -> None:  # noqa: N802
        """Note why a query ended."""
        query = self._names[str(event.id)]
        self._keep(query, replace(self._beats[query], updated_at=time.time(), ended=event.exception or ""))


class HealthPublisher:
    """Sends the heartbeats to ``pipeline-health`` from a thread of its own; what fails is logged, never raised."""

    def __init__(self, settings: Settings, listener: ProgressListener) -> None:
        self._settings = settings
        self._listener = listener
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pipeline-health", daemon=True)

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def stop(self) -> None:
        """Publish once more and end."""
        self._stop.set()
        self._thread.join(_PUBLISH_SECONDS)

    def _run(self) -> None:
        with connect(self._settings, timeout_seconds=3.0) as client:
            while True:
                stopped = self._stop.wait(_PUBLISH_SECONDS)
                broker = self._broker_offsets()
                beats = self._listener.heartbeats()
                records = [record_of(beat, None if broker is None else beat.lag(broker)) for beat in beats]
                try:
                    publish(client, records)
                except (TransportError, ApiError, BulkIndexError) as error:
                    logger.warning("pipeline-health=not-written reason=%r", str(error)[:300])
                if stopped:
                    return

    def _broker_offsets(self) -> Offsets | None:
        try:
            return end_offsets(self._settings)
        except PartUnavailableError as error:
            logger.warning("lag=unknown reason=%r", error.reason)
            return None
