"""A platform of its own for a test or a bench: free ports, a temporary folder, the programs of ``./run.sh start``."""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.config import Settings
from include.local import leftovers
from include.local.elasticsearch import ElasticsearchNode
from include.local.kafka import KafkaBroker
from include.local.ports import find_free
from include.local.supervisor import Supervisor
from include.local.waiting import wait_healthy
from include.messaging.topics import create_topics
from include.names import Query
from include.serving.client import connect
from include.serving.indices import install
from include.supervision import speed_layer

_PORTS = (
    "kafka_port",
    "kafka_controller_port",
    "kafka_metrics_port",
    "elasticsearch_port",
    "elasticsearch_transport_port",
    "spark_ui_port",
    "spark_background_ui_port",
)


@dataclass(frozen=True)
class Stack:
    """A running platform."""

    settings: Settings
    supervisor: Supervisor

    def pids(self) -> dict[str, int]:
        """Process id by part."""
        return {part.value: state.pid for part, state in self.supervisor.states().items() if state.pid}


def _settings(folder: Path, changes: Mapping[str, Any]) -> Settings:
    ports = dict(zip(_PORTS, find_free(len(_PORTS)), strict=True))
    return Settings(_env_file=None, platform_data_dir=folder, **{**ports, **changes})


def _start(supervisor: Supervisor, server: KafkaBroker | ElasticsearchNode) -> None:
    server.prepare()
    program = server.program()
    supervisor.define(program)
    supervisor.start(program.part)

    def ended() -> str | None:
        state = supervisor.states()[program.part]
        return None if state.is_running else f"{state.description}\n{supervisor.tail(program.part)}"

    wait_healthy(program.part, server.problem, seconds=120, ended=ended)


@contextlib.contextmanager
def stack(queries: Sequence[Query] = (), **changes: Any) -> Iterator[Stack]:
    """Start Kafka, Elasticsearch and, where queries are named, the speed layer; stop and delete all at the end.

    Args:
        queries: Streams to run.
        **changes: Settings that differ from their defaults.
    """
    with tempfile.TemporaryDirectory(prefix="rdp-stack-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # Elasticsearch's user must enter it
        settings = _settings(folder, changes)
        supervisor = Supervisor(settings)
        supervisor.ensure_running()
        try:
            for server in (KafkaBroker(settings), ElasticsearchNode(settings)):
                _start(supervisor, server)
            create_topics(settings)
            with connect(settings) as client:
                install(client)
            if queries:
                for program in speed_layer.programs(settings, queries).values():
                    supervisor.define(program)
                    supervisor.start(program.part)
            yield Stack(settings, supervisor)
        finally:
            supervisor.shut_down()
            # A killed scheduler leaves the workers that it had started.
            leftovers.end(leftovers.find(settings), 5)
            ElasticsearchNode(settings).delete()
