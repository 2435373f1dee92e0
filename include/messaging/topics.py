"""The platform's Kafka topics: making them, and seeing how full they are."""

from dataclasses import dataclass
from typing import Final

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from include.config import Settings
from include.errors import PartUnavailableError
from include.messaging.connection import kafka_python
from include.names import RAW_TOPICS, Part, Topic

_DAY_MS: Final = 24 * 3600 * 1000
# Raw events can be read again for a week (bronze keeps them for good); what is derived can be looked up for a month.
_RETENTION_MS: Final = {topic: (7 if topic in RAW_TOPICS else 30) * _DAY_MS for topic in Topic}


@dataclass(frozen=True)
class TopicState:
    """How full a topic is: begin and end offset by partition."""

    name: str
    offsets: dict[int, tuple[int, int]]

    @property
    def records(self) -> int:
        """Records that the broker still holds."""
        return sum(end - begin for begin, end in self.offsets.values())


def admin_client(settings: Settings, timeout_ms: int = 10_000) -> KafkaAdminClient:
    """An administrator's connection; the caller closes it."""
    return KafkaAdminClient(
        **kafka_python(settings),
        request_timeout_ms=timeout_ms,
        bootstrap_timeout_ms=timeout_ms,
    )


def _wanted(settings: Settings) -> list[NewTopic]:
    return [
        NewTopic(
            name=topic.value,
            num_partitions=settings.kafka_partitions,
            replication_factor=settings.kafka_replication,
            topic_configs={
                # The broker's clock only grows within a partition: the watermark of the speed layer rests on it.
                "message.timestamp.type": "LogAppendTime",
                "retention.ms": str(_RETENTION_MS[topic]),
                "max.message.bytes": str(10 * 1024 * 1024),
                "min.insync.replicas": str(max(1, settings.kafka_replication - 1)),
            },
        )
        for topic in Topic
    ]


def create_topics(settings: Settings) -> list[str]:
    """Make the topics that are not there yet.

    Returns:
        Names of those it made.

    Raises:
        PartUnavailableError: If the broker does not answer or refuses.
    """
    try:
        client = admin_client(settings)
        try:
            present = set(client.list_topics())
            absent = [topic for topic in _wanted(settings) if topic.name not in present]
            for topic in absent:
                _create(client, topic)
            return [topic.name for topic in absent]
        finally:
            client.close()
    except KafkaError as error:
        raise PartUnavailableError(Part.KAFKA, f"creating topics failed: {error}") from error


def _create(client: KafkaAdminClient, topic: NewTopic) -> None:
    try:
        client.create_topics([topic])
    except TopicAlreadyExistsError:
        return  # somebody else made it in the same moment: it is there, which is all that is asked


def topic_states(settings: Settings) -> list[TopicState]:
    """Begin and end offsets of all platform topics that exist.

    Raises:
        PartUnavailableError: If the broker does not answer.
    """
    try:
        consumer = KafkaConsumer(**kafka_python(settings), bootstrap_timeout_ms=10_000, enable_auto_commit=False)
        try:
            present = consumer.topics()
            return [_state(consumer, topic) for topic in Topic if topic.value in present]
        finally:
            consumer.close()
    except KafkaError as error:
        raise PartUnavailableError(Part.KAFKA, f"reading offsets failed: {error}") from error


def _state(consumer: KafkaConsumer, topic: Topic) -> TopicState:
    partitions = [TopicPartition(topic.value, number) for number in consumer.partitions_for_topic(topic.value) or ()]
    begins = consumer.beginning_offsets(partitions)
    ends = consumer.end_offsets(partitions)
    return TopicState(topic.value, {p.partition: (begins[p], ends[p]) for p in sorted(partitions)})


def offsets_at(settings: Settings, upto: dict[str, dict[int, int]], time: float) -> dict[str, dict[int, int]]:
    """Per topic and partition the first offset that arrived at a time or later, at most the one given.

    Args:
        settings: Where the broker is.
        upto: Which partitions, and the most that is given for each.
        time: Unix seconds.

    Raises:
        PartUnavailableError: If the broker does not answer.
    """
    asked = {TopicPartition(topic, number): end for topic, ends in upto.items() for number, end in ends.items()}
    found: dict[str, dict[int, int]] = {topic: {} for topic in upto}
    try:
        consumer = KafkaConsumer(**kafka_python(settings), bootstrap_timeout_ms=10_000, enable_auto_commit=False)
        try:
            times = consumer.offsets_for_times(dict.fromkeys(asked, int(time * 1000)))
        finally:
            consumer.close()
    except KafkaError as error:
        raise PartUnavailableError(Part.KAFKA, f"reading offsets failed: {error}") from error
    for place, end in asked.items():
        # None where nothing arrived since.
        found[place.topic][place.partition] = min(end, times[place].offset) if times[place] else end
    return found


def end_offsets(settings: Settings) -> dict[str, dict[int, int]]:
    """End offset by topic and partition."""
    return {
        state.name: {partition: end for partition, (_, end) in state.offsets.items()}
        for state in topic_states(settings)
    }
