"""The parts of the local platform: how each is prepared, run and asked whether it is healthy."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import httpx

from include.config import PROJECT_ROOT, Settings
from include.errors import PartUnavailableError
from include.handover.checkpoint import Offsets
from include.local.airflow import Airflow
from include.local.elasticsearch import ElasticsearchNode
from include.local.grafana import Grafana
from include.local.kafka import KafkaBroker
from include.local.program import Program
from include.messaging.topics import end_offsets
from include.names import Part, Query
from include.supervision import speed_layer
from include.supervision.health import bounds_of, judge
from include.supervision.heartbeat import read_heartbeat
from include.supervision.shares import PARTS, Share, queries_of
from include.supervision.spark_submit import settings_environment
from include.trust import trust

_ANSWER_SECONDS: Final = 3.0
AIRFLOW_PARTS: Final = (
    Part.AIRFLOW_API,
    Part.AIRFLOW_SCHEDULER,
    Part.AIRFLOW_DAG_PROCESSOR,
    Part.AIRFLOW_TRIGGERER,
)


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Service:
    """One part.

    Attributes:
        part: Its name.
        program: Makes what the supervisor runs; called after `prepare`.
        problem: Says why the part is not healthy, None when it is; its process is known to live.
        prepare: What must happen before its first start.
        ports: Ports it listens on, by the name of their setting.
        address: Where a person or a program finds it.
        patience: Seconds that it may take to become healthy.
        launch: Starts it, where that is more than running its program.
        lag: Records that it has not read yet; None where that says nothing.
        awaited: Whether a start ends only when it is healthy.
    """

    part: Part
    program: Callable[[], Program]
    problem: Callable[[], str | None] = _nothing
    prepare: Callable[[], None] = _nothing
    ports: Mapping[str, int] = field(default_factory=dict)
    address: str = ""
    patience: float = 180
    launch: Callable[[], object] | None = None
    lag: Callable[[], int | None] = _nothing
    awaited: bool = True


def services(settings: Settings) -> dict[Part, Service]:
    """Every part that these settings ask for, in the order in which they start."""
    listed = [
        *_servers(settings),
        *(_streams(settings, share) for share in Share),
        *_python_parts(settings),
        *_grafana(settings),
        *_airflow(settings),
    ]
    return {service.part: service for service in listed}


def _servers(settings: Settings) -> list[Service]:
    broker, node = KafkaBroker(settings), ElasticsearchNode(settings)
    kafka_ports = {
        "KAFKA_PORT": settings.kafka_port,
        "KAFKA_CONTROLLER_PORT": settings.kafka_controller_port,
        "KAFKA_METRICS_PORT": settings.kafka_metrics_port,
    }
    search_ports = {
        "ELASTICSEARCH_PORT": settings.elasticsearch_port,
        "ELASTICSEARCH_TRANSPORT_PORT": settings.elasticsearch_transport_port,
    }
    local = []
    # An address of somebody else's broker or cluster means that ours is not wanted.
    if settings.kafka_bootstrap_servers is None:
        local.append(
            Service(Part.KAFKA, broker.program, broker.problem, broker.prepare, kafka_ports, settings.bootstrap_servers)
        )
    if settings.elasticsearch_url is None:
        local.append(
            Service(Part.ELASTICSEARCH, node.program, node.problem, node.prepare, search_ports, settings.search_url)
        )
    return local


def _streams(settings: Settings, share: Share) -> Service:
    queries = queries_of(settings, share)
    port = speed_layer.ui_port(settings, share)
    return Service(
        PARTS[share],
        lambda: speed_layer.programs(settings, queries)[PARTS[share]],
        partial(_streams_problem, settings, queries),
        ports={speed_layer.UI_PORT[share].upper(): port},
        address=f"http://{settings.platform_bind_host}:{port}",
        # Their own start also notes that they are wanted, which the health check of Airflow asks.
        launch=lambda: speed_layer.start(settings, queries),
        lag=partial(_streams_lag, settings, queries),
        # The background gets no processor before all others are up; the health check looks after it.
        awaited=share is Share.URGENT,
    )


def _streams_problem(settings: Settings, queries: Sequence[Query]) -> str | None:
    state = speed_layer.state(settings)
    if not any(query in state.pids for query in queries):
        return "no driver runs yet"
    ends, now = _end_offsets(settings), time.time()
    # The heartbeats of an earlier driver say nothing of this one.
    beats = {query: beat for query, beat in state.heartbeats.items() if beat.pid == state.pids.get(query)}
    verdicts = [judge(query, beats.get(query), True, ends, now, bounds_of(query)) for query in queries]
    failed = [f"{verdict.subject}: {', '.join(verdict.reasons)}" for verdict in verdicts if verdict.status == "failed"]
    return "; ".join(failed) or None


def _end_offsets(settings: Settings) -> Offsets | None:
    try:
        return end_offsets(settings)
    except PartUnavailableError:
        return None  # the broker's own line says that it is away


def _streams_lag(settings: Settings, queries: Sequence[Query]) -> int | None:
    ends = _end_offsets(settings)
    if ends is None:
        return None
    beats = [beat for query in queries if (beat := read_heartbeat(settings, query)) is not None]
    return max((beat.lag(ends) for beat in beats), default=None)


def _command(settings: Settings, part: Part, *arguments: str, stop_seconds: int = 20) -> Program:
    return Program(
        part,
        [sys.executable, str(PROJECT_ROOT / "main.py"), *arguments],
        environment=settings_environment(settings),
        stop_seconds=stop_seconds,
    )


def _python_parts(settings: Settings) -> list[Service]:
    parts = [
        Service(
            Part.MONITORING,
            lambda: _command(settings, Part.MONITORING, "start-monitoring"),
            ports={"PROMETHEUS_PORT": settings.prometheus_port},
            address=f"http://{settings.platform_bind_host}:{settings.prometheus_port}/metrics",
        ),
        Service(Part.ALERTING, lambda: _command(settings, Part.ALERTING, "alerts", "dispatch")),
        Service(
            Part.API,
            lambda: _command(settings, Part.API, "serve"),
            partial(_api_problem, settings),
            ports={"API_PORT": settings.api_port},
            address=f"{settings.api_url}/docs",
        ),
    ]
    if settings.demo_rate:
        rate = str(settings.demo_rate)
        traffic = partial(_command, settings, Part.DEMO_TRAFFIC, "start-producer", "--rate", rate)
        parts.append(Service(Part.DEMO_TRAFFIC, traffic))
    return parts


def _api_problem(settings: Settings) -> str | None:
    try:
        answer = httpx.get(f"{settings.api_url}/readyz", timeout=_ANSWER_SECONDS, verify=trust(settings.tls_ca_file))
    except httpx.HTTPError as error:
        return f"does not answer: {type(error).__name__}"
    return None if answer.is_success else str(answer.json().get("detail"))


def _grafana(settings: Settings) -> list[Service]:
    grafana = Grafana(settings)
    if grafana.program_file is None:
        return []
    ports = {"GRAFANA_PORT": settings.grafana_port}
    return [Service(Part.GRAFANA, grafana.program, grafana.problem, ports=ports, address=grafana.url)]


def _airflow(settings: Settings) -> list[Service]:
    airflow = Airflow(settings)
    return [
        Service(
            part,
            partial(airflow.program, part),
            partial(airflow.problem, part),
            ports={"AIRFLOW_PORT": settings.airflow_port} if part is Part.AIRFLOW_API else {},
            address=settings.airflow_url if part is Part.AIRFLOW_API else "",
        )
        for part in AIRFLOW_PARTS
    ]
