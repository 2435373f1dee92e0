"""Reads topics as they grow, for people and for scripts."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaError

from include.config import Settings
from include.errors import PartUnavailableError
from include.messaging.connection import kafka_python
from include.names import Part

_POLL_MS: Final = 250


@dataclass(frozen=True)
class TailRecord:
    """One record of a topic."""

    topic: str
    partition: int
    offset: int
    kafka_time: datetime
    key: bytes | None
    value: bytes | None

    def as_line(self) -> str:
        """For people: where it is, and its text with what is no text made visible."""
        text = "-" if self.value is None else self.value.decode(errors="backslashreplace")
        return f"{self.topic} {self.partition}:{self.offset} {self.kafka_time:%H:%M:%S.%f} {text}"

    def as_json(self) -> str:
        """For programs: ``value`` is the parsed JSON; what is not JSON is in ``value_base64``."""
        document: dict[str, object] = {
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
            "kafka_time": self.kafka_time.isoformat(timespec="milliseconds"),
            "key": None if self.key is None else self.key.decode(errors="backslashreplace"),
        }
        try:
            document["value"] = None if self.value is None else json.loads(self.value, parse_constant=_refuse)
        except ValueError:
            document["value_base64"] = base64.b64encode(self.value or b"").decode()
        return json.dumps(document, ensure_ascii=False)


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


def tail(
    settings: Settings,
    topics: list[str],
    beginning: bool = False,
    maximum: int | None = None,
    idle_seconds: float | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[TailRecord]:
    """Records of topics, without a consumer group: nobody else is disturbed.

    Args:
        settings: Where the broker is.
        topics: Names of existing topics.
        beginning: From the oldest record; else only what comes from now on.
        maximum: End after this many.
        idle_seconds: End when nothing came for this long.
        stopped: Asked all the time; when it answers true it ends.

    Raises:
        PartUnavailableError: If the broker does not answer or has not got a topic.
    """
    try:
        consumer = KafkaConsumer(**kafka_python(settings), bootstrap_timeout_ms=10_000, enable_auto_commit=False)
        try:
            _assign(consumer, topics, beginning)
            count, last = 0, time.monotonic()
            while not stopped():
                for records in consumer.poll(_POLL_MS).values():
                    for record in records:
                        yield _record(record)
                        count += 1
                        if count == maximum:
                            return
                    last = time.monotonic()
                if idle_seconds is not None and time.monotonic() - last >= idle_seconds:
                    return
        finally:
            consumer.close()
    except KafkaError as error:
        raise PartUnavailableError(Part.KAFKA, f"reading {', '.join(topics)} failed: {error}") from error


def _assign(consumer: KafkaConsumer, topics: list[str], beginning: bool) -> None:
    absent = set(topics) - set(consumer.topics())
    if absent:
        raise PartUnavailableError(
            Part.KAFKA, f"no topic {', '.join(sorted(absent))}; make them with: python main.py topics create"
        )
    partitions = [TopicPartition(topic, number) for topic in topics for number in consumer.partitions_for_topic(topic)]
    consumer.assign(partitions)
    if beginning:
        consumer.seek_to_beginning(*partitions)
    else:
        consumer.seek_to_end(*partitions)
        for partition in partitions:
            consumer.position(partition)


def _record(record: ConsumerRecord) -> TailRecord:
    when = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    return TailRecord(record.topic, record.partition, record.offset, when, record.key, record.value)
