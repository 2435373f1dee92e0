"""The local platform with its two servers only: started, started again, hurt, and stopped without a trace."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from include.config import Settings
from include.errors import PrerequisiteError
from include.local import leftovers
from include.local.ports import find_free
from include.local.start import Start
from include.local.state import PartStatus, part_states
from include.local.stop import stop
from include.local.supervisor import Supervisor
from include.messaging.topics import topic_states
from include.names import Alias, Part, Topic
from tests.integration.conftest import data_folder, settings_in

SERVERS = (Part.KAFKA, Part.ELASTICSEARCH)


def start(settings: Settings) -> list[tuple[Part, str | None]]:
    reports: list[tuple[Part, str | None]] = []
    Start(settings, SERVERS, lambda part, doing: reports.append((part, doing))).run()
    return reports


def until(condition: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def servers_of(settings: Settings) -> dict[Part, PartStatus]:
    return {state.part: state for state in part_states(settings) if state.part in SERVERS}


def pids(settings: Settings) -> dict[Part, int | None]:
    return {part: state.pid for part, state in servers_of(settings).items()}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with data_folder() as path:
        yield path


@pytest.fixture(scope="module")
def platform(folder: Path) -> Iterator[Settings]:
    settings = settings_in(folder)
    try:
        start(settings)
        yield settings
    finally:
        stop(settings, lambda _: None)


def test_start_leaves_healthy_servers_with_topics_and_indices(platform: Settings) -> None:
    assert {part: state.reason for part, state in servers_of(platform).items()} == dict.fromkeys(SERVERS)
    assert {state.name for state in topic_states(platform)} == {topic.value for topic in Topic}
    aliases = httpx.get(f"{platform.search_url}/_alias").json().values()
    assert {name for index in aliases for name in index["aliases"]} == {alias.value for alias in Alias}


def test_the_state_tells_process_port_memory_and_age(platform: Settings) -> None:
    kafka = servers_of(platform)[Part.KAFKA]
    assert kafka.pid is not None
    assert psutil.Process(kafka.pid).name() == "java"
    assert kafka.port == platform.kafka_port
    assert 100 < kafka.memory_mb < 2000
    assert 0 < kafka.uptime_seconds < 600


def test_a_part_that_was_not_started_says_so(platform: Settings) -> None:
    reasons = {state.part: state.reason for state in part_states(platform)}
    assert reasons[Part.AIRFLOW_SCHEDULER] == "not started"


def test_a_second_start_finds_what_runs(platform: Settings) -> None:
    before = pids(platform)
    start(platform)
    assert pids(platform) == before


def test_servers_listen_on_loopback_only(platform: Settings) -> None:
    family = leftovers.find(platform)
    listening = {c.laddr.ip for process in family for c in process.net_connections("inet") if c.status == "LISTEN"}
    assert listening
    assert listening <= {"127.0.0.1", "::ffff:127.0.0.1"}


def test_a_killed_part_comes_back(platform: Settings) -> None:
    before = pids(platform)[Part.KAFKA]
    assert before is not None
    os.kill(before, signal.SIGKILL)
    assert until(lambda: servers_of(platform)[Part.KAFKA].healthy and pids(platform)[Part.KAFKA] != before)


def test_a_start_after_the_supervisor_was_killed_takes_over(platform: Settings, folder: Path) -> None:
    supervisor = int((folder / "supervisor" / "supervisord.pid").read_text())
    before = pids(platform)
    os.kill(supervisor, signal.SIGKILL)
    assert until(lambda: not Supervisor(platform).is_alive())
    start(platform)
    after = pids(platform)
    assert all(state.healthy for state in servers_of(platform).values())
    assert not set(before.values()) & set(after.values())


def test_a_changed_setting_restarts_the_part_it_concerns(platform: Settings, folder: Path) -> None:
    before = pids(platform)
    start(platform.model_copy(update={"kafka_heap": "400m"}))
    after = pids(platform)
    assert after[Part.KAFKA] != before[Part.KAFKA]
    assert after[Part.ELASTICSEARCH] == before[Part.ELASTICSEARCH]


def test_stop_leaves_no_process(platform: Settings) -> None:
    assert leftovers.find(platform)
    assert stop(platform, lambda _: None)
    assert leftovers.find(platform) == []
    assert not Supervisor(platform).is_alive()
    assert not stop(platform, lambda _: None)


def test_a_taken_port_is_named_with_its_holder_and_its_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", find_free(1)[0])) as other:
        port = other.getsockname()[1]
        settings = settings_in(tmp_path).model_copy(update={"kafka_port": port})
        with pytest.raises(
            PrerequisiteError, match=rf"port {port} is taken by .*\(process {os.getpid()}\).*KAFKA_PORT"
        ):
            start(settings)
    assert not Supervisor(settings).is_alive()
