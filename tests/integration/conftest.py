"""Real servers for the tests of this tier: one broker and one node per session, on free ports."""

import os
import pwd
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from include.config import PROJECT_ROOT, Settings
from include.local.artifacts import ArtifactCache
from include.local.elasticsearch import ElasticsearchNode
from include.local.kafka import KafkaBroker
from include.local.ports import find_free
from include.local.program import Program
from include.local.waiting import wait_healthy
from include.messaging.topics import create_topics


def settings_in(folder: Path) -> Settings:
    """Settings of a platform of its own: this data folder, free ports, small heaps, no `.env`."""
    ports = iter(find_free(9))
    return Settings(
        _env_file=None,
        platform_data_dir=folder,
        kafka_bootstrap_servers=None,
        elasticsearch_url=None,
        elasticsearch_heap="512m",
        kafka_port=next(ports),
        kafka_controller_port=next(ports),
        kafka_metrics_port=next(ports),
        elasticsearch_port=next(ports),
        elasticsearch_transport_port=next(ports),
        spark_ui_port=next(ports),
        spark_background_ui_port=next(ports),
        airflow_port=next(ports),
        prometheus_port=next(ports),
    )


@contextmanager
def data_folder() -> Iterator[Path]:
    """A temporary folder that the user of Elasticsearch may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="rdp-test-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@contextmanager
def running(program: Program, server: KafkaBroker | ElasticsearchNode, log_dir: Path) -> Iterator[None]:
    """Run a server as a child of the tests until the block ends."""
    log = log_dir / f"{program.part}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    group = pwd.getpwnam(program.user).pw_gid if program.user else None
    with log.open("wb") as output:
        process = subprocess.Popen(
            program.command,
            env={**os.environ, **program.environment},
            cwd=PROJECT_ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=program.user,
            group=group,
            extra_groups=[] if program.user else None,
            start_new_session=True,
        )
    try:

        def ended() -> str | None:
            code = process.poll()
            return None if code is None else f"ended with {code}: {log.read_text(errors='replace')[-2000:]}"

        wait_healthy(program.part, server.problem, seconds=180, ended=ended)
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)


@pytest.fixture(scope="session")
def server_settings() -> Iterator[Settings]:
    """What both servers share."""
    with data_folder() as folder:
        settings = settings_in(folder)
        ArtifactCache(settings).fetch()
        yield settings


@pytest.fixture(scope="session")
def kafka(server_settings: Settings) -> Iterator[Settings]:
    """A running broker with the platform's topics."""
    broker = KafkaBroker(server_settings)
    broker.prepare()
    with running(broker.program(), broker, server_settings.log_dir):
        create_topics(server_settings)
        yield server_settings


@pytest.fixture(scope="session")
def elasticsearch(server_settings: Settings) -> Iterator[Settings]:
    """A running Elasticsearch, empty."""
    node = ElasticsearchNode(server_settings)
    node.prepare()
    with running(node.program(), node, server_settings.log_dir):
        yield server_settings


@pytest.fixture(scope="session")
def kafka_and_elasticsearch(kafka: Settings, elasticsearch: Settings) -> Settings:
    """Both servers."""
    assert kafka is elasticsearch
    return kafka
