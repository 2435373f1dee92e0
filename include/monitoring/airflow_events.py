"""Airflow's runs and tasks, from the topic ``airflow-events`` to ``pipeline-health``: each event one document."""

import json
import logging
from datetime import datetime
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, Message

from include.config import Settings
from include.messaging.connection import librdkafka
from include.messaging.quiet import silenced
from include.names import Topic
from include.serving.pipeline_health import HealthRecord

logger = logging.getLogger(__name__)

GROUP: Final = "monitoring"
_MOST: Final = 1_000
_STATUS: Final = {"running": "ok", "success": "ok", "failed": "failed"}


def record_of(value: bytes, place: str) -> HealthRecord:
    """The observation that an event of Airflow is.

    Args:
        value: The message.
        place: Where it is in Kafka, as ``topic-partition-offset``: the document's id, so that it is stored once.

    Raises:
        ValueError: If it is no such event.
    """
    event = json.loads(value)
    if not isinstance(event, dict) or not {"kind", "dag_id", "run_id", "state", "time"} <= event.keys():
        raise ValueError("an event of Airflow has kind, dag_id, run_id, state and time")
    is_task = event["kind"] == "task"
    subject = f"{event['dag_id']}.{event.get('task_id')}" if is_task else str(event["dag_id"])
    failed = event["state"] == "failed"
    return HealthRecord(
        time=datetime.fromisoformat(event["time"]),
        kind="airflow_task" if is_task else "airflow_run",
        subject=subject,
        status=_STATUS.get(event["state"], "unknown"),
        reason=f"{event['run_id']} failed{_with(event)}" if failed else None,
        metrics={name: float(event[name]) for name in ("seconds", "try_number") if name in event},
        details=event,
        document_id=place,
    )


def _with(event: dict[str, Any]) -> str:
    return f" with {event['error']}" if "error" in event else ""


class AirflowEvents:
    """Reads the topic; what was taken is taken again after a crash, unless it was told to be stored."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._consumer: Consumer | None = None
        self._taken: list[HealthRecord] = []

    def take(self) -> list[HealthRecord]:
        """What came since, and what was taken but not stored; nothing while the broker is away."""
        consumer = self._open()
        for message in consumer.consume(_MOST, timeout=1.0):
            if message.error():
                logger.warning("events of Airflow are not readable reason=%s", message.error())
            else:
                self._take(message)
        return list(self._taken)

    def stored(self) -> None:
        """Note that all that was taken is stored."""
        if not self._taken:
            return
        self._taken.clear()
        try:
            self._open().commit(asynchronous=False)
        except KafkaException as error:
            # The broker is away: after a restart it is stored again, under the same id.
            logger.debug("not committed reason=%s", error)

    def close(self) -> None:
        """Leave the group."""
        if self._consumer is not None:
            self._consumer.close()

    def _take(self, message: Message) -> None:
        place = f"{message.topic()}-{message.partition()}-{message.offset()}"
        try:
            self._taken.append(record_of(message.value() or b"", place))
        except ValueError as error:
            logger.error("message is no event of Airflow and is left out: place=%s reason=%s", place, error)

    def _open(self) -> Consumer:
        if self._consumer is None:
            self._consumer = Consumer(
                {
                    **librdkafka(self._settings),
                    "group.id": GROUP,
                    "enable.auto.commit": False,
                    "auto.offset.reset": "earliest",
                    "log_level": 2,
                },
                logger=silenced(),
            )
            self._consumer.subscribe([Topic.AIRFLOW_EVENTS.value])
        return self._consumer
