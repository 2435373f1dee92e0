"""Sends records to Kafka: idempotent, acknowledged by all replicas, compressed, with back-pressure."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from include.config import Settings
from include.errors import PartUnavailableError
from include.messaging.connection import librdkafka
from include.names import Part

logger = logging.getLogger(__name__)

_QUEUE_MESSAGES: Final = 100_000
_COMPLAIN_SECONDS: Final = 5.0
# Called with the error (None when the broker has it) and librdkafka's message.
OnDelivery = Callable[[KafkaError | None, Message], None]


def producer_options(settings: Settings) -> dict[str, Any]:
    """What librdkafka is told.

    Nothing times out: records wait in the bounded queue while the broker is away, and ``send`` waits with them.
    """
    return {
        **librdkafka(settings),
        "client.id": "realtime-data-platform-producer",
        "acks": "all",
        "enable.idempotence": True,
        "compression.type": "lz4",
        # Broker and readers pay for each batch, however small.
        "linger.ms": 20,
        "batch.size": 262_144,
        "message.max.bytes": 10 * 1024 * 1024,
        "message.timeout.ms": 0,
        "queue.buffering.max.messages": _QUEUE_MESSAGES,
        "reconnect.backoff.max.ms": 1_000,
        # As Java's clients do it, so that a key is in the same partition whoever sends it.
        "partitioner": "murmur2_random",
        "error_cb": _complain,
        "log_level": 3,
        "logger": logger,
    }


def _complain(error: KafkaError) -> None:
    logger.warning("kafka_error=%s reason=%s", error.name(), error.str())


@contextmanager
def _refusal_told() -> Iterator[None]:
    """Turn an error after which the client takes nothing more into one of the platform.

    Raises:
        PartUnavailableError: If the broker refuses this sender for good.
    """
    try:
        yield
    except (KafkaException, SystemError) as error:
        # Callbacks that run while such an error is raised end in a SystemError that carries it.
        cause = error if isinstance(error, KafkaException) else error.__cause__
        if not isinstance(cause, KafkaException):
            raise
        raise PartUnavailableError(
            Part.KAFKA,
            f"it refuses this sender: {cause.args[0].str()}; may its user write to the topic? (see SECURITY.md)",
        ) from error


class Sender:
    """A producer's connection.

    Args:
        stopped: Asked while it waits; when it answers true, waiting ends.
    """

    def __init__(self, settings: Settings, stopped: Callable[[], bool] = lambda: False) -> None:
        self._settings = settings
        self._stopped = stopped
        self._producer: Producer | None = None
        self.waited_seconds = 0.0

    def connect(self, wait_seconds: float | None = None) -> None:
        """Wait until the broker answers.

        Raises:
            PartUnavailableError: If it does not within the time, or the wait was stopped.
        """
        producer = Producer(producer_options(self._settings))
        begun = time.monotonic()
        while True:
            try:
                producer.list_topics(timeout=2)
                break
            except KafkaException as error:
                waited = time.monotonic() - begun
                if self._stopped() or (wait_seconds is not None and waited >= wait_seconds):
                    address = self._settings.bootstrap_servers
                    raise PartUnavailableError(
                        Part.KAFKA,
                        f"no broker at {address} after {waited:.0f} s ({error}); start it with ./run.sh start",
                    ) from error
                logger.warning("waiting_for_broker=%s seconds=%.0f", self._settings.bootstrap_servers, waited)
                time.sleep(0.5)
        self._producer = producer

    def send(self, topic: str, key: bytes | None, value: bytes | None, on_delivery: OnDelivery) -> bool:
        """Queue a record; waits while the queue is full.

        Returns:
            False when the wait was stopped: the record is not queued then.

        Raises:
            PartUnavailableError: If the broker refuses this sender for good.
        """
        producer = self._connected()
        begun = complained = time.monotonic()
        while True:
            try:
                with _refusal_told():
                    producer.produce(topic, value, key, on_delivery=on_delivery)
                return True
            except BufferError:
                if self._stopped():
                    return False
                with _refusal_told():
                    producer.poll(0.05)
                now = time.monotonic()
                if now - complained > _COMPLAIN_SECONDS:
                    complained = now
                    logger.warning("queue_full_seconds=%.0f waiting_for=%s", now - begun, Part.KAFKA.value)
                self.waited_seconds += 0.05

    def serve(self) -> None:
        """Call the callbacks of what was acknowledged meanwhile."""
        with _refusal_told():
            self._connected().poll(0)

    def finish(self, wait_seconds: float) -> int:
        """Wait for the acknowledgements of all that is queued; what takes longer is given up, its callbacks are called.

        Returns:
            Number of records given up.

        Raises:
            PartUnavailableError: If the broker refuses this sender for good.
        """
        producer = self._connected()
        with _refusal_told():
            left: int = producer.flush(wait_seconds)
            if left:
                producer.purge(in_queue=True, in_flight=True, blocking=True)
                producer.flush(5)
        return left

    def _connected(self) -> Producer:
        if self._producer is None:
            raise PartUnavailableError(Part.KAFKA, "the sender is not connected; call connect() first")
        return self._producer
