"""Sends repaired events to their topics."""

from collections.abc import Sequence
from typing import Final

from confluent_kafka import KafkaError, Message

from include.config import Settings
from include.dead_letters.repair import Repaired
from include.errors import PartUnavailableError
from include.names import Part
from include.producers.sender import Sender

_CONNECT_SECONDS: Final = 20
_ACKNOWLEDGE_SECONDS: Final = 60


class KafkaShop:
    """A producer that is as careful as any shop's: idempotent, acknowledged by all replicas."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sender: Sender | None = None
        self._refused: list[str] = []

    def send(self, events: Sequence[tuple[str, Repaired]]) -> None:
        """Send events and wait until all are acknowledged.

        Raises:
            PartUnavailableError: If not all are; the next replay looks which of them arrived.
        """
        if self._sender is None:
            self._sender = Sender(self._settings)
            self._sender.connect(_CONNECT_SECONDS)
        self._refused.clear()
        for topic, event in events:
            self._sender.send(topic, event.key, event.value, self._delivered)
        given_up = self._sender.finish(_ACKNOWLEDGE_SECONDS)
        if self._refused or given_up:
            raise PartUnavailableError(
                Part.KAFKA,
                f"{len(self._refused)} of {len(events)} repaired events were not acknowledged "
                f"({self._refused[0] if self._refused else 'no answer'}); run the same replay again",
            )

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._refused.append(str(error))
