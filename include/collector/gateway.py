"""Puts events into Kafka, and says when all replicas have them."""

import asyncio
import threading
from typing import Any, Final

from confluent_kafka import KafkaError, Message, Producer

from include.config import Settings
from include.errors import PartUnavailableError
from include.names import Part, Topic
from include.producers.sender import OnDelivery, producer_options

_POLL_SECONDS: Final = 0.05
# Whoever waits for an answer pays for each millisecond of it.
_OPTIONS: Final[dict[str, Any]] = {"client.id": "realtime-data-platform-collector", "linger.ms": 5}


class Gateway:
    """A producer whose acknowledgements are awaited.

    Args:
        settings: Say where the brokers are.
        patience_seconds: How long an acknowledgement may take.
    """

    def __init__(self, settings: Settings, patience_seconds: float = 10.0) -> None:
        self._settings = settings
        self._patience = patience_seconds
        self._stopped = threading.Event()
        self._producer: Producer | None = None
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Connect; a broker that is away is met by the first event."""
        self._producer = Producer({**producer_options(self._settings), **_OPTIONS})
        self._thread = threading.Thread(target=self._serve, args=(self._producer,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Wait for what is on its way, then end."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
        if self._producer is not None:
            self._producer.flush(self._patience)

    def _serve(self, producer: Producer) -> None:
        while not self._stopped.is_set():
            producer.poll(_POLL_SECONDS)

    async def send(self, records: list[tuple[Topic, bytes | None, bytes]]) -> None:
        """Send records and wait until all replicas have them.

        Args:
            records: Topic, key and value of each.

        Raises:
            PartUnavailableError: If they are not acknowledged in time, or too many wait already. Some may arrive all
                the same: the same ids sent again count once.
        """
        if self._producer is None:
            raise PartUnavailableError(Part.KAFKA, "the collector is not connected")
        loop = asyncio.get_running_loop()
        waiting = [loop.create_future() for _ in records]
        try:
            for future, (topic, key, value) in zip(waiting, records, strict=True):
                self._producer.produce(topic, value, key, on_delivery=_telling(loop, future))
            await asyncio.wait_for(asyncio.gather(*waiting), self._patience)
        except BufferError as error:
            raise PartUnavailableError(Part.KAFKA, "too many events wait for the broker; send again later") from error
        except TimeoutError as error:
            reason = f"not acknowledged within {self._patience:.0f} s; send again, nothing counts twice"
            raise PartUnavailableError(Part.KAFKA, reason) from error


def _telling(loop: asyncio.AbstractEventLoop, future: "asyncio.Future[None]") -> OnDelivery:
    def tell(error: KafkaError | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(PartUnavailableError(Part.KAFKA, error.str()))

    def deliver(error: KafkaError | None, _: Message) -> None:
        # Called in the thread that polls.
        loop.call_soon_threadsafe(tell, error)

    return deliver
