"""The supervisor with a small program: real processes, in a folder of its own."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from include.config import Settings
from include.errors import PartUnavailableError
from include.local.ports import find_free
from include.local.program import Program
from include.local.supervisor import Supervisor
from include.names import Part


def program(code: str, **environment: str) -> Program:
    return Program(Part.MONITORING, [sys.executable, "-c", code], environment, start_seconds=1, stop_seconds=5)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    running = Supervisor(Settings(_env_file=None, platform_data_dir=tmp_path))
    running.ensure_running()
    yield running
    running.shut_down()


def test_a_program_gets_its_arguments_and_variables_as_they_are(supervisor: Supervisor) -> None:
    code = "import os, time; print(os.environ['WORDS'], '100 %s'); time.sleep(60)"
    supervisor.define(program(code, WORDS='a "b", 50 % c\\d'))
    supervisor.start(Part.MONITORING)
    assert supervisor.states()[Part.MONITORING].is_running
    assert supervisor.tail(Part.MONITORING) == 'a "b", 50 % c\\d 100 %s'


def test_a_program_that_ends_at_once_is_told_with_its_last_words(supervisor: Supervisor) -> None:
    supervisor.define(program("raise SystemExit('no such broker')"))
    with pytest.raises(PartUnavailableError, match="no such broker"):
        supervisor.start(Part.MONITORING)


def test_the_same_definition_leaves_the_process_alone_and_another_ends_it(supervisor: Supervisor) -> None:
    supervisor.define(program("import time; time.sleep(60)"))
    supervisor.start(Part.MONITORING)
    before = supervisor.states()[Part.MONITORING].pid
    supervisor.define(program("import time; time.sleep(60)"))
    assert supervisor.states()[Part.MONITORING].pid == before
    supervisor.define(program("import time; time.sleep(61)"))
    assert not supervisor.states()[Part.MONITORING].is_running


def test_its_files_are_closed_to_others(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.define(program("pass", SECRET="x"))
    assert (tmp_path / "supervisor" / "programs" / "monitoring.conf").stat().st_mode & 0o077 == 0


REMOTE = """\
[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
pidfile={folder}/supervisord.pid

[inet_http_server]
port=127.0.0.1:{port}
username=platform
password=secret

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[program:speed-layer]
command={python} -c "import time; time.sleep(60)"
autostart=false
"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Supervisor]:
    """A supervisor that is reached over HTTP, as in containers; its programs are its own."""
    [port] = find_free(1)
    config = tmp_path / "remote.conf"
    config.write_text(REMOTE.format(folder=tmp_path, port=port, python=sys.executable), encoding="utf-8")
    process = subprocess.Popen([sys.executable, "-m", "supervisor.supervisord", "-c", str(config)])
    url = SecretStr(f"http://platform:secret@127.0.0.1:{port}")
    client = Supervisor(Settings(_env_file=None, platform_data_dir=tmp_path, supervisor_url=url))
    try:
        assert client._wait_alive()
        yield client
    finally:
        process.terminate()
        process.wait(20)


def test_a_supervisor_elsewhere_starts_and_stops_what_it_knows(elsewhere: Supervisor) -> None:
    elsewhere.ensure_running()
    elsewhere.define(Program(Part.SPEED_LAYER, ["/does/not/matter"]))
    elsewhere.start(Part.SPEED_LAYER)
    assert elsewhere.states()[Part.SPEED_LAYER].is_running
    elsewhere.stop(Part.SPEED_LAYER)
    assert not elsewhere.states()[Part.SPEED_LAYER].is_running
    elsewhere.shut_down()
    assert elsewhere.is_alive()


def test_a_supervisor_elsewhere_that_is_away_is_named_without_its_password(tmp_path: Path) -> None:
    url = SecretStr(f"http://platform:secret@127.0.0.1:{find_free(1)[0]}")
    away = Supervisor(Settings(_env_file=None, platform_data_dir=tmp_path, supervisor_url=url))
    with pytest.raises(PartUnavailableError, match="SUPERVISOR_URL") as caught:
        away.ensure_running()
    assert "secret" not in str(caught.value)
