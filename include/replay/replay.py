"""Sends a file's rows as events; what cannot become one goes to the dead letters, and the run goes on.

A replay is idempotent: a row's ids come from its line, so that the same file sent twice gives the same event ids, which
the platform counts once.
"""

import base64
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from confluent_kafka import KafkaError, Message

from include.contracts.registry import contracts_by_topic
from include.contracts.validation import encode
from include.errors import ContractViolationError
from include.names import Topic
from include.producers.sender import Sender
from include.replay.conversion import RowRefused, event_of
from include.replay.mapping import Mapping
from include.replay.rows import Row, read_rows

_STAGE: Final = "replay"
_NO_PARTITION: Final = -1
_SERVE_EVERY: Final = 200
_FLUSH_SECONDS: Final = 60.0
_LONGEST_SLEEP: Final = 0.1


@dataclass
class ReplayReport:
    """How a replay went."""

    rows: int = 0
    sent: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    failed: int = 0
    seconds: float = 0.0
    stopped_early: bool = False

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "rows": self.rows,
            "sent": self.sent,
            "refused": self.refused.total(),
            "refused_by_reason": dict(self.refused),
            "acknowledged": self.acknowledged,
            "failed": self.failed,
            "seconds": round(self.seconds, 3),
            "stopped_early": self.stopped_early,
        }


class Replay:
    """One file on its way to Kafka.

    Args:
        speed: Seconds of the events' time per second; None is as fast as the broker takes it.
        on_row: Called after each row, with its line.
    """

    def __init__(
        self,
        path: Path,
        mapping: Mapping,
        sender: Sender,
        stopped: Callable[[], bool],
        speed: float | None = None,
        on_row: Callable[[int], None] = lambda _line: None,
    ) -> None:
        self._path = path
        self._mapping = mapping
        self._sender = sender
        self._stopped = stopped
        self._speed = speed
        self._on_row = on_row
        self._key_field = ""
        self._first_event: float | None = None
        self._begun = 0.0
        self.report = ReplayReport()

    def run(self) -> ReplayReport:
        """Send all rows and wait for the acknowledgements.

        Returns:
            The report; ``acknowledged`` and ``failed`` count events and dead letters alike.
        """
        self._key_field = contracts_by_topic()[self._mapping.topic].key_field
        self._begun = time.monotonic()
        report = self.report
        try:
            for row in read_rows(self._path, self._mapping.source):
                if self._stopped() or not self._send(row):
                    report.stopped_early = True
                    break
                report.rows += 1
                self._on_row(row.line)
                if report.rows % _SERVE_EVERY == 0:
                    self._sender.serve()
        finally:
            self._sender.finish(_FLUSH_SECONDS)
            report.seconds = time.monotonic() - self._begun
        return report

    def _send(self, row: Row) -> bool:
        topic = self._mapping.topic
        try:
            event = event_of(row, self._mapping)
            value = encode(event, topic)
        except (RowRefused, ContractViolationError) as refusal:
            key, document = dead_letter(row, self._path.name, topic, refusal)
            self.report.refused[str(refusal.reason)] += 1
            return self._sender.send(Topic.DEAD_LETTER, key, document, self._delivered)
        if self._speed is not None and not self._wait_for(event["event_time"], self._speed):
            return False
        self.report.sent += 1
        return self._sender.send(topic, event[self._key_field].encode(), value, self._delivered)

    def _wait_for(self, event_time: str, speed: float) -> bool:
        """Wait until the event is due; one that is older than those before it is due at once."""
        happened = _seconds(event_time)
        if self._first_event is None:
            self._first_event = happened
        due = self._begun + (happened - self._first_event) / speed
        while (now := time.monotonic()) < due:
            if self._stopped():
                return False
            self._sender.serve()
            time.sleep(min(due - now, _LONGEST_SLEEP))
        return True

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is None:
            self.report.acknowledged += 1
        else:
            self.report.failed += 1


@lru_cache(maxsize=1024)
def _seconds(event_time: str) -> float:
    return datetime.fromisoformat(event_time).timestamp()


def dead_letter(
    row: Row, file_name: str, topic: Topic, refusal: RowRefused | ContractViolationError
) -> tuple[bytes, bytes]:
    """Key and value of a refused row's dead letter, the same document as the stream's dead letters.

    ``topic`` is where the event was to go, ``partition`` is -1 as it never was in one, ``offset`` is the line number,
    ``source`` the file, ``value`` the line.
    """
    document = {
        "topic": topic.value,
        "partition": _NO_PARTITION,
        "offset": row.line,
        "kafka_time": None,
        "key": None,
        "value": base64.b64encode(row.raw).decode(),
        "stage": _STAGE,
        "reason": str(refusal.reason),
        "field": refusal.field,
        "expected": refusal.expected,
        "found": refusal.found[:100],
        "contract": "",
        "rejected_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "source": file_name,
    }
    return f"{file_name}-line-{row.line}".encode(), json.dumps(document, ensure_ascii=False).encode()
