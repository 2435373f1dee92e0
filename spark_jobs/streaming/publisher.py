"""Sends the queries' heartbeats to ``pipeline-health``."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from elastic_transport import TransportError
from elasticsearch import ApiError
from elasticsearch.helpers import BulkIndexError

from include.config import Settings
from include.errors import PartUnavailableError
from include.handover.checkpoint import Offsets
from include.messaging.topics import end_offsets
from include.serving.client import connect
from include.serving.pipeline_health import publish
from include.supervision.heartbeat import Heartbeat
from include.supervision.progress import record_of

logger = logging.getLogger(__name__)

_PUBLISH_SECONDS: Final = 10.0


class HealthPublisher:
    """Sends the heartbeats to ``pipeline-health`` from a thread of its own; what fails is logged, never raised."""

    def __init__(self, settings: Settings, heartbeats: Callable[[], list[Heartbeat]]) -> None:
        self._settings = settings
        self._heartbeats = heartbeats
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
                beats = self._heartbeats()
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
