"""Alerts that arrive through Kafka: the topics ``platform-alerts`` (alerts as they are) and ``fraud-alerts``."""

import json
import logging
import threading
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from pydantic import ValidationError

from include.alerting.alert import Alert, Kind, Severity
from include.alerting.outbox import Outbox
from include.config import Settings
from include.messaging.connection import librdkafka
from include.messaging.quiet import silenced
from include.names import Topic

logger = logging.getLogger(__name__)

GROUP: Final = "alert-dispatcher"
_SHOWN: Final = ("rule", "score", "user_id", "order_id", "device_id", "country")


def alert_of(topic: str, value: bytes, alert_id: str) -> Alert:
    """The alert of a message.

    Args:
        topic: ``platform-alerts`` or ``fraud-alerts``.
        value: The message, JSON.
        alert_id: Id for a message that brings none: its place in Kafka, so that a second reading changes nothing.

    Raises:
        ValueError: If it is neither an alert nor a suspicion of fraud.
    """
    found = json.loads(value)
    if not isinstance(found, dict):
        raise ValueError("the message is not a JSON object")
    if topic == Topic.FRAUD_ALERTS:
        return _fraud(found, alert_id)
    return Alert.model_validate({"alert_id": alert_id, **found})


def _fraud(found: dict[str, Any], alert_id: str) -> Alert:
    rule = str(found.get("rule") or "unknown rule")
    named = ("subject", "user_id", "card_id", "device_id")
    whom = next((str(found[name]) for name in named if found.get(name)), "unknown user")
    evidence = {name: found[name] for name in _SHOWN if found.get(name) is not None}
    if isinstance(found.get("amount_minor"), int):
        evidence["amount"] = f"{Decimal(found['amount_minor']).scaleb(-2)} {found.get('currency') or ''}".strip()
    if found.get("evidence"):
        evidence["evidence"] = found["evidence"]
    severity = str(found.get("severity", ""))
    return Alert(
        source="fraud",
        kind=Kind.FRAUD,
        severity=Severity(severity) if severity in set(Severity) else Severity.WARNING,
        subject=f"Suspected fraud: {rule.replace('_', ' ')} by {whom}",
        key=f"fraud/{rule}/{whom}",
        evidence=evidence,
        time=_time(found.get("event_time")),
        alert_id=str(found.get("alert_id") or alert_id),
    )


def _time(text: Any) -> datetime:
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        return datetime.now(UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def consume(settings: Settings, stop: threading.Event) -> None:
    """Put alerts from Kafka into the outbox until asked to stop; the client reconnects by itself."""
    from confluent_kafka import Consumer, KafkaException

    told: set[str] = set()

    def once(error: Any) -> None:
        if str(error) not in told:
            told.add(str(error))
            logger.warning("alert topics not readable, trying again: reason=%s", error)

    consumer = Consumer(
        {
            **librdkafka(settings),
            "group.id": GROUP,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "error_cb": once,
            "topic.metadata.refresh.interval.ms": 5_000,
        },
        logger=silenced(),
    )
    consumer.subscribe([Topic.PLATFORM_ALERTS.value, Topic.FRAUD_ALERTS.value])
    outbox = Outbox(settings)
    try:
        while not stop.is_set():
            message = consumer.poll(0.5)
            if message is None:
                continue
            if message.error():
                once(message.error())
                stop.wait(1)
                continue
            told.clear()
            while not _put(outbox, message) and not stop.wait(5):
                pass
            if not stop.is_set():
                try:
                    consumer.commit(message, asynchronous=False)
                except KafkaException as error:
                    once(error)
    finally:
        consumer.close()


def _put(outbox: Outbox, message: Any) -> bool:
    place = f"{message.topic()}-{message.partition()}-{message.offset()}"
    try:
        alert = alert_of(message.topic(), message.value() or b"", place)
    except (ValueError, ValidationError) as error:
        logger.error("message is no alert and is left out: place=%s reason=%s", place, error)
        return True
    return outbox.put(alert)
