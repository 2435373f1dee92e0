"""The command line's frame."""

import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from include.cli.application import build
from include.config import PROJECT_ROOT, get_settings


@pytest.fixture(autouse=True)
def settings_are_read_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    get_settings.cache_clear()
    monkeypatch.setenv("PLATFORM_DATA_DIR", str(tmp_path))


def test_an_error_of_the_platform_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_PORT", "0")
    result = CliRunner().invoke(build(), ["status"])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: KAFKA_PORT: ")
    assert "Traceback" not in result.output


def test_debug_shows_the_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_PORT", "0")
    result = CliRunner().invoke(build(), ["--debug", "status"])
    assert "KAFKA_PORT" in str(result.exception)


@pytest.mark.parametrize(
    "command", ["init_infra", "configure_services", "deploy_processors", "init_metrics", "start_monitoring", "deploy"]
)
def test_the_older_script_names_are_commands_in_both_spellings(command: str) -> None:
    for name in (command, command.replace("_", "-")):
        assert CliRunner().invoke(build(), [name, "--help"]).exit_code == 0


def test_the_state_of_a_platform_that_does_not_run_is_told_to_programs() -> None:
    result = CliRunner().invoke(build(), ["status", "--json"])
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert found["healthy"] is False
    assert {part["reason"] for part in found["parts"]} == {"not started"}


def test_run_sh_explains_itself_when_it_is_not_understood() -> None:
    done = subprocess.run([PROJECT_ROOT / "run.sh", "strat"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("run.sh: no command 'strat'\nusage: ./run.sh COMMAND")
