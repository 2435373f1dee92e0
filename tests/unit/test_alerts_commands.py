"""``main.py alerts`` on a data folder of its own."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from include.alerting.alert import Kind
from include.alerting.dispatcher import Dispatcher
from include.alerting.routing import load_routing
from include.cli.application import build
from include.config import get_settings


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("PLATFORM_DATA_DIR", str(tmp_path))
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(build(), ["alerts", *arguments])
    return result.exit_code, result.output


def test_samples_of_each_kind_are_put_listed_and_taken_over() -> None:
    assert run("test")[0] == 0
    assert f"{len(Kind)} new ones wait for the dispatcher" in run("list")[1]

    settings = get_settings()
    Dispatcher(settings, load_routing(settings.alert_routing_file), {}).take(datetime.now(UTC))
    found = json.loads(run("list", "--json")[1])
    assert {one["key"].split("/")[1] for one in found} == set(Kind) - {Kind.REPORT}
    assert found[0]["severity"] == "critical"

    code, said = run("ack", found[0]["incident"][:10], "--by", "ann")
    assert (code, said.split(":")[0]) == (0, "acknowledged")
    assert "taken by ann" in run("list")[1]


def test_an_unknown_id_is_refused() -> None:
    assert run("ack", "nothing")[0] == 1
