"""The driver of one or many streaming queries: it holds their leases, starts them, watches them, and ends them well."""

import argparse
import logging
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pyspark.sql import SparkSession
from pyspark.sql.streaming import StreamingQuery

from include.config import Settings, get_settings
from include.errors import PlatformError
from include.handover.live_segments import LiveSegments
from include.handover.segments import ledger_path
from include.names import Query
from include.supervision.heartbeat import REAL_TIME
from include.supervision.lease import Lease, lease_path
from include.supervision.shares import Share
from spark_jobs.session import build_session
from spark_jobs.streaming.counts import SinkCounts
from spark_jobs.streaming.listener import ProgressListener
from spark_jobs.streaming.publisher import HealthPublisher

logger = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 0.5
_LAST_BATCH_SECONDS: Final = 30.0
_IDLE_LOOK_SECONDS: Final = 0.01
# A micro-batch costs about the same however few rows it has. Spark starts them at multiples of their pause, so pauses
# without a common divisor seldom have several start together and take the processors from the live query.
_LESS_URGENT_MS: Final = 7000
_DEAD_LETTERS_MS: Final = 11000
_ACTIVITY_MS: Final = 9700
_PATTERNS_MS: Final = 5300
_SEARCHABLE_MS: Final = 3100


@dataclass(frozen=True)
class Running:
    """What every query gets from its driver.

    Attributes:
        spark: The session.
        settings: The platform's settings.
        once: Drain what is there and end, instead of running on.
        leases: The lease of each query of this driver.
        stop: Set when the driver was asked to end: nothing may wait any longer.
        counts: Where sinks count what only they know.
        segments: The ledger of the live query's segments.
        ending: What a query wants closed when its driver has ended it.
    """

    spark: SparkSession
    settings: Settings
    once: bool
    leases: Mapping[Query, Lease]
    stop: threading.Event
    counts: SinkCounts
    segments: LiveSegments
    ending: ExitStack = field(default_factory=ExitStack)

    def every(self, query: Query) -> str | None:
        """The trigger of a query, as Spark writes it; None when it drains and ends."""
        return None if self.once else f"{trigger_ms(query, self.settings)} milliseconds"


Start = Callable[[Running], StreamingQuery]


def trigger_ms(query: Query, settings: Settings) -> int:
    """Pause between starts of a query's micro-batches."""
    live = settings.live_trigger_ms
    return {
        Query.BRONZE_ARCHIVE: settings.archive_trigger_seconds * 1000,
        Query.LIVE_METRICS: live,
        Query.DEAD_LETTERS: max(_DEAD_LETTERS_MS, live),
        Query.LIVE_ACTIVITY: max(_ACTIVITY_MS, live),
        Query.FRAUD_PATTERNS: max(_PATTERNS_MS, live),
        Query.LIVE_EVENTS: max(_SEARCHABLE_MS, live),
        Query.LIVE_USER_EVENTS: max(_SEARCHABLE_MS, live),
        # Between checkpoints rows flow without a pause. The shortest time that Spark allows is five seconds.
        Query.FRAUD_INSTANT: 180_000,
    }.get(query, max(_LESS_URGENT_MS, live))


def stop_marker(settings: Settings) -> Path:
    """The file that asks every driver which is older than it to end."""
    return settings.heartbeat_dir / "stop"


class Driver:
    """Runs queries until it is told to stop, one of them fails, or (with ``once``) all are drained."""

    def __init__(self, name: str, streams: Mapping[Query, Start], settings: Settings, *, once: bool = False) -> None:
        self._name = name
        self._streams = streams
        self._settings = settings
        self._once = once
        self._started_at = time.time()
        self._stop = threading.Event()
        self._leases = {query: Lease(lease_path(settings, query)) for query in streams}

    def run(self) -> None:
        """Run in this process, with a session of its own.

        Raises:
            LeaseError: If another driver runs one of the queries.
            PlatformError: If a query failed; names it and the reason.
        """
        with self._signals(), self._held_leases():
            spark = build_session(self._name, "live")
            try:
                self._run_queries(spark)
            finally:
                spark.stop()

    def run_in(self, spark: SparkSession) -> None:
        """The same in a session that the caller keeps, without listening to signals."""
        with self._held_leases():
            self._run_queries(spark)

    def _run_queries(self, spark: SparkSession) -> None:
        counts = SinkCounts()
        triggers = {query: None if self._once else trigger_ms(query, self._settings) for query in self._streams}
        listener = ProgressListener(spark, self._settings, triggers, counts)
        publisher = HealthPublisher(self._settings, listener.heartbeats)
        checkpoint = Path(self._settings.checkpoint_path(Query.LIVE_METRICS))
        segments = LiveSegments(ledger_path(self._settings), checkpoint)
        running = Running(spark, self._settings, self._once, self._leases, self._stop, counts, segments)
        listener.start()
        publisher.start()
        started: dict[Query, StreamingQuery] = {}
        try:
            for query, start in self._streams.items():
                try:
                    started[query] = start(running)
                except PlatformError as error:
                    listener.refused(query, str(error))
                    raise
            logger.info("driver=%s queries=%s once=%s", self._name, ",".join(started), self._once)
            self._watch(started, segments, listener)
        finally:
            self._end(started)
            running.ending.close()
            listener.stop(started)
            publisher.stop()

    @contextmanager
    def _held_leases(self) -> Iterator[None]:
        try:
            for query, lease in self._leases.items():
                logger.info("query=%s epoch=%s", query, lease.acquire().epoch)
            yield
        finally:
            for lease in self._leases.values():
                lease.release()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def ask(number: int, _: object) -> None:
            logger.info("driver=%s signal=%s: ends after the micro-batches in flight", self._name, number)
            self._stop.set()

        before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _asked_to_stop(self) -> bool:
        try:
            return self._stop.is_set() or stop_marker(self._settings).stat().st_mtime > self._started_at
        except FileNotFoundError:
            return False

    def _watch(
        self, started: Mapping[Query, StreamingQuery], segments: LiveSegments, listener: ProgressListener
    ) -> None:
        while not self._asked_to_stop():
            listener.take()
            for lease in self._leases.values():
                lease.renew()
            if Query.LIVE_METRICS in started:
                segments.seal_when_idle()
            ended = [query for query, handle in started.items() if not handle.isActive]
            for query in ended:
                _raise_failure(query, started[query])
            if len(ended) == len(started):
                return
            if ended and not self._once:
                raise PlatformError(f"{', '.join(ended)} ended without being asked to: see the driver's log")
            self._stop.wait(_LOOK_SECONDS)

    def _end(self, started: Mapping[Query, StreamingQuery]) -> None:
        self._stop.set()
        deadline = time.monotonic() + _LAST_BATCH_SECONDS
        for query, handle in started.items():
            # Stopping in the middle of a micro-batch loses nothing, but leaves it to be done again.
            # In Real-Time Mode a batch lasts until the next checkpoint: not worth waiting for.
            waits = self._once or query not in REAL_TIME
            while waits and handle.isActive and handle.status["isTriggerActive"] and time.monotonic() < deadline:
                time.sleep(_IDLE_LOOK_SECONDS)
            handle.stop()
            logger.info("query=%s stopped", query)


def _raise_failure(query: Query, handle: StreamingQuery) -> None:
    failure = handle.exception()
    if failure is not None:
        raise PlatformError(f"{query} failed: {failure}")


def main(
    name: str,
    streams: Mapping[Query, Start],
    arguments: Sequence[str] | None = None,
    *,
    usual: Callable[[Settings, Share | None], Collection[Query]] | None = None,
) -> None:
    """Run as a Spark job.

    Args:
        name: Name in the Spark UI.
        streams: What can be run, and how each is started.
        arguments: Command line, the process's own by default.
        usual: What runs of a share, or when nothing is chosen; all by default.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in ("py4j", "kafka", "elastic_transport", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    parser = argparse.ArgumentParser(description=f"Runs {', '.join(streams)}.")
    parser.add_argument("--once", action="store_true", help="drain what is there and end")
    if len(streams) > 1:
        chosen = parser.add_mutually_exclusive_group()
        chosen.add_argument("--queries", nargs="+", choices=list(streams), type=Query)
        chosen.add_argument("--share", choices=list(Share), type=Share, help="the queries of one driver of two")
    options, settings = parser.parse_args(arguments), get_settings()
    names = getattr(options, "queries", None) or (usual(settings, options.share) if usual else streams)
    Driver(name, {query: streams[query] for query in names}, settings, once=options.once).run()
