"""Tells Kafka what Airflow's runs and tasks do, as a listener of Airflow: the topic ``airflow-events``.

The platform's monitoring brings them to ``pipeline-health``. A broker that is away costs a task a moment and the event,
never the task: Airflow's own database keeps what happened.
"""

import json
import logging
import os
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from airflow.listeners import hookimpl

from include.config import Settings, get_settings
from include.messaging.connection import librdkafka
from include.messaging.quiet import silenced
from include.names import Topic

if TYPE_CHECKING:
    from confluent_kafka import Producer

logger = logging.getLogger(__name__)

_GIVE_UP_MS: Final = 5_000
_LAST_SECONDS: Final = 1.0


def run_event(run: Any, state: str) -> dict[str, Any]:
    """What is told of a run of a DAG."""
    return _event("run", run.dag_id, run.run_id, state, run.start_date, run.end_date)


def task_event(task: Any, state: str, error: str | BaseException | None = None) -> dict[str, Any]:
    """What is told of a try of a task; of an error its kind only, as its text may hold anything."""
    ended = None if state == "running" else (getattr(task, "end_date", None) or datetime.now(UTC))
    event = _event("task", task.dag_id, task.run_id, state, task.start_date, ended)
    event |= {"task_id": task.task_id, "map_index": task.map_index, "try_number": task.try_number}
    if error is not None:
        event["error"] = type(error).__name__ if isinstance(error, BaseException) else "error"
    return event


def _event(
    kind: str, dag_id: str, run_id: str, state: str, begun: datetime | None, ended: datetime | None
) -> dict[str, Any]:
    seconds = (ended - begun).total_seconds() if begun and ended else None
    event = {"kind": kind, "dag_id": dag_id, "run_id": run_id, "state": state, "time": datetime.now(UTC).isoformat()}
    return event if seconds is None else {**event, "seconds": round(seconds, 3)}


@lru_cache(maxsize=1)
def _producer(_pid: int, settings: Settings) -> "Producer":
    # Airflow forks: a child cannot use the threads of its parent's client.
    from confluent_kafka import Producer

    return Producer(
        {
            **librdkafka(settings),
            "client.id": "airflow-events",
            "message.timeout.ms": _GIVE_UP_MS,
            "queue.buffering.max.messages": 10_000,
            "log_level": 2,
        },
        logger=silenced(),
    )


def _delivered(error: Any, _message: Any) -> None:
    if error is not None:
        logger.warning("event of Airflow not sent reason=%s", error)


def tell(event: dict[str, Any], *, wait: bool = False) -> None:
    """Send an event; waits a moment for the broker where the process ends next."""
    # Every process of Airflow reads this module when it starts; few of them send.
    from confluent_kafka import KafkaException

    try:
        producer = _producer(os.getpid(), get_settings())
        key = f"{event['dag_id']}/{event['run_id']}"
        producer.produce(Topic.AIRFLOW_EVENTS.value, key=key, value=json.dumps(event), on_delivery=_delivered)
        producer.flush(_LAST_SECONDS) if wait else producer.poll(0)
    except (KafkaException, BufferError) as error:
        logger.warning("event of Airflow not sent reason=%s", error)


# Airflow gives a hook those of its arguments that it names.
@hookimpl
def on_dag_run_running(dag_run: Any) -> None:
    """A run began."""
    tell(run_event(dag_run, "running"))


@hookimpl
def on_dag_run_success(dag_run: Any) -> None:
    """A run ended well."""
    tell(run_event(dag_run, "success"))


@hookimpl
def on_dag_run_failed(dag_run: Any) -> None:
    """A run failed."""
    tell(run_event(dag_run, "failed"))


@hookimpl
def on_task_instance_running(task_instance: Any) -> None:
    """A try of a task began."""
    tell(task_event(task_instance, "running"))


@hookimpl
def on_task_instance_success(task_instance: Any) -> None:
    """A task ended well; its process ends next."""
    tell(task_event(task_instance, "success"), wait=True)


@hookimpl
def on_task_instance_failed(task_instance: Any, error: str | BaseException | None) -> None:
    """A try of a task failed; its process ends next."""
    tell(task_event(task_instance, "failed", error), wait=True)
