"""The dispatcher: turns alerts into incidents, delivers messages and keeps the search store informed."""

import fcntl
import logging
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from include.alerting import alert_index, digest, incidents
from include.alerting.courier import Courier
from include.alerting.intake import Intake
from include.alerting.receivers import Receiver
from include.alerting.routing import Routing
from include.alerting.store import connection, store_path
from include.config import Settings
from include.errors import DeliveryError, PrerequisiteError

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

logger = logging.getLogger(__name__)

_PAUSE_SECONDS: Final = 0.3
_RETRY_SECONDS: Final = 10.0
_INDEXED_AT_ONCE: Final = 200
_KEEP_TAKEN: Final = timedelta(days=7)
_KEEP_RESOLVED: Final = timedelta(days=90)


class Dispatcher:
    """Runs the rules of the routing file; each destination has a thread, so a slow one delays no other.

    Args:
        settings: Where the store and the search store are.
        routing: The rules.
        receivers: The destinations that can be reached.
    """

    def __init__(self, settings: Settings, routing: Routing, receivers: Mapping[str, Receiver]) -> None:
        self._settings = settings
        self._path = store_path(settings)
        self._routing = routing
        self._receivers = receivers
        self._intake = Intake(routing, receivers)

    def take(self, now: datetime) -> None:
        """Turn new alerts into incidents and queued messages; escalate what waited too long."""
        with connection(self._path) as database:
            self._intake.take_new(database, now)
            self._intake.escalate(database, now)

    def index(self, client: "Elasticsearch") -> int:
        """Bring changed incidents into the search store.

        Returns:
            How many there were.
        """
        with connection(self._path) as database:
            changed = incidents.not_indexed(database, _INDEXED_AT_ONCE)
            documents = [(incident, alert_index.document(database, incident)) for incident in changed]
        if documents:
            alert_index.publish(client, documents)
            with connection(self._path) as database:
                incidents.mark_indexed(database, changed)
        return len(documents)

    def send_digest(self, name: str, now: datetime) -> bool:
        """Send today's summary to a destination, unless it was sent.

        Raises:
            DeliveryError: If it was not taken; it stays due.
        """
        if self._routing.digest is None or name not in self._routing.digest.to:
            return False
        with connection(self._path) as database:
            if not digest.is_due(database, self._routing, name, now):
                return False
            title, lines = digest.summary(database, now)
        self._receivers[name].tell_lines(title, lines)
        with connection(self._path) as database:
            digest.remember(database, self._routing, name, now)
        return True

    def prune(self, now: datetime) -> None:
        """Forget what is long over."""
        with connection(self._path) as database:
            database.execute("DELETE FROM incoming WHERE taken_at < ?", ((now - _KEEP_TAKEN).timestamp(),))
            old = ((now - _KEEP_RESOLVED).timestamp(),)
            database.execute(
                "DELETE FROM deliveries WHERE incident IN (SELECT incident FROM incidents WHERE resolved_at < ?)", old
            )
            database.execute("DELETE FROM incidents WHERE resolved_at < ? AND indexed_version = version", old)

    def run(self, stop: threading.Event) -> None:
        """Work until asked to stop; what fails is tried again.

        Raises:
            PrerequisiteError: If another dispatcher works on the same data folder.
        """
        with _only_one(self._path.with_name("dispatcher.lock")):
            threads = [
                threading.Thread(target=self._deliver, args=(name, receiver, stop), name=f"courier-{name}")
                for name, receiver in self._receivers.items()
            ]
            threads.append(threading.Thread(target=self._keep_indexed, args=(stop,), name="index"))
            for thread in threads:
                thread.start()
            try:
                self._take_forever(stop)
            finally:
                stop.set()
                for thread in threads:
                    thread.join()

    def _take_forever(self, stop: threading.Event) -> None:
        pruned = datetime.min.replace(tzinfo=UTC)
        while not stop.is_set():
            now = datetime.now(UTC)
            try:
                self.take(now)
                if now - pruned > timedelta(hours=1):
                    self.prune(now)
                    pruned = now
            except (sqlite3.Error, OSError) as error:
                logger.error("alerts not taken, trying again: store=%s error=%s", self._path, error)
                stop.wait(_RETRY_SECONDS)
            stop.wait(_PAUSE_SECONDS)

    def _deliver(self, name: str, receiver: Receiver, stop: threading.Event) -> None:
        courier = Courier(self._path, name, receiver, self._routing)
        digest_after = datetime.min.replace(tzinfo=UTC)
        while not stop.is_set():
            now = datetime.now(UTC)
            try:
                courier.step(now)
                if now >= digest_after:
                    digest_after = now + timedelta(seconds=60)
                    self.send_digest(name, now)
            except (sqlite3.Error, OSError) as error:
                logger.error("alert queue not read, trying again: destination=%s error=%s", name, error)
                stop.wait(_RETRY_SECONDS)
            except DeliveryError as error:
                logger.warning("daily summary not delivered, trying again: destination=%s reason=%s", name, error)
            stop.wait(_PAUSE_SECONDS)

    def _keep_indexed(self, stop: threading.Event) -> None:
        from elastic_transport import TransportError
        from elasticsearch import ApiError
        from elasticsearch.helpers import BulkIndexError

        from include.serving.client import connect

        told = ""
        with connect(self._settings, timeout_seconds=5) as client:
            while not stop.is_set():
                try:
                    self.index(client)
                    told = ""
                except (TransportError, ApiError, BulkIndexError, sqlite3.Error) as error:
                    # One line for an outage, not one for each try.
                    reason = type(error).__name__
                    if reason != told:
                        logger.warning("alerts not indexed, trying again: reason=%s %s", reason, error)
                    told = reason
                    stop.wait(_RETRY_SECONDS)
                stop.wait(_PAUSE_SECONDS)


@contextmanager
def _only_one(path: Path) -> Iterator[IO[str]]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise PrerequisiteError(
                f"another dispatcher works on {path.parent}: two would send every message twice; stop it first"
            ) from error
        yield lock
