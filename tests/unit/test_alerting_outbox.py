"""Alerts survive the process that puts them, and never break it."""

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from include.alerting.alert import Alert, Kind, Severity
from include.alerting.outbox import Outbox
from include.alerting.store import connection, store_path
from include.config import PROJECT_ROOT, Settings


def an_alert(alert_id: str) -> Alert:
    return Alert(
        source="test",
        kind=Kind.STREAM_HEALTH,
        severity=Severity.CRITICAL,
        subject="live_metrics\n stands still",
        key="stream/live_metrics",
        evidence={"lag": 12},
        alert_id=alert_id,
    )


def kept(settings: Settings) -> list[Alert]:
    with connection(store_path(settings), 1) as database:
        return [
            Alert.model_validate_json(row["body"]) for row in database.execute("SELECT * FROM incoming ORDER BY place")
        ]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(platform_data_dir=tmp_path)


def test_an_alert_is_kept_as_it_was_put(settings: Settings) -> None:
    alert = an_alert("a1")

    assert Outbox(settings).put(alert)

    assert kept(settings) == [alert]
    assert alert.subject == "live_metrics stands still"
    assert alert.evidence == {"lag": "12"}


def test_an_alert_that_is_put_twice_is_kept_once(settings: Settings) -> None:
    for alert_id in ("a1", "a2", "a1"):
        Outbox(settings).put(an_alert(alert_id))

    assert [alert.alert_id for alert in kept(settings)] == ["a1", "a2"]


def test_processes_that_put_at_the_same_time_lose_nothing(settings: Settings, tmp_path: Path) -> None:
    script = (
        "import sys; from tests.unit.test_alerting_outbox import an_alert; from pathlib import Path\n"
        "from include.alerting.outbox import Outbox; from include.config import Settings\n"
        "outbox = Outbox(Settings(platform_data_dir=Path(sys.argv[1])))\n"
        "assert all(outbox.put(an_alert(f'{sys.argv[2]}-{n}')) for n in range(50))\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path), name], cwd=PROJECT_ROOT)
        for name in ("a", "b", "c")
    ]

    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert len({alert.alert_id for alert in kept(settings)}) == 150


def test_a_locked_file_delays_the_caller_briefly_and_leaves_the_alert_in_the_log(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    Outbox(settings).put(an_alert("a1"))
    holder = sqlite3.connect(store_path(settings), isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")

    started = time.monotonic()
    assert not Outbox(settings).put(an_alert("a2"))
    took = time.monotonic() - started
    holder.execute("ROLLBACK")
    holder.close()

    assert took < 5
    assert '"alert_id":"a2"' in caplog.text
    assert "locked" in caplog.text


def test_a_data_folder_that_cannot_be_made_does_not_fail_the_caller(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("not a folder")

    assert not Outbox(Settings(platform_data_dir=tmp_path / "file")).put(an_alert("a1"))

    assert '"alert_id":"a1"' in caplog.text
