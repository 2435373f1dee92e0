"""From what is seen of the platform to alerts."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from include.alerting.alert import Alert, Kind, Severity
from include.config import Settings
from include.handover.segments import Segment, ledger_path
from include.monitoring.alarms import Alarms
from include.monitoring.observations import machine_record, of_deadlines, of_freshness
from include.names import Table
from include.serving.freshness import Freshness
from include.serving.pipeline_health import HealthRecord

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, platform_data_dir=tmp_path)


def part(status: str, reason: str | None = None) -> HealthRecord:
    return HealthRecord(NOW, "process", "kafka", status, reason)


def machine(disk: float, memory: float) -> HealthRecord:
    return machine_record(
        NOW, SimpleNamespace(percent=disk, free=2.1e9), SimpleNamespace(percent=memory, available=0.4e9), 10.0
    )


def said(alerts: list[Alert]) -> list[tuple[Severity, str, bool]]:
    return [(alert.severity, alert.subject, alert.resolved) for alert in alerts]


def freshness(processed: float, complete: float) -> Freshness:
    return Freshness(None, NOW - timedelta(seconds=complete), NOW - timedelta(seconds=processed), {})


@pytest.mark.parametrize(
    ("disk", "memory", "status", "reason"),
    [
        (80.0, 80.0, "ok", None),
        (91.0, 80.0, "degraded", "the data folder's disk is 91 % full, 2.1 GB are free"),
        (50.0, 96.0, "degraded", "memory is 96 % full, 0.4 GB are free"),
        (98.0, 10.0, "failed", "the data folder's disk is 98 % full, 2.1 GB are free"),
    ],
)
def test_a_full_disk_or_memory_is_worth_attention(disk: float, memory: float, status: str, reason: str) -> None:
    found = machine(disk, memory)

    assert (found.status, found.reason) == (status, reason)


def test_a_full_disk_is_told_once_then_worse_then_over(settings: Settings) -> None:
    alarms = Alarms(settings)
    looks = [machine(disk, 10) for disk in (50, 91, 92, 98, 50, 50)]
    told = [said(alarms.judge([look], clock)) for clock, look in enumerate(looks)]

    assert [len(alerts) for alerts in told] == [1, 1, 0, 1, 1, 0]
    assert told[1] == [(Severity.WARNING, "The data folder's disk is 91 % full, 2.1 GB are free", False)]
    assert told[3][0][0] is Severity.CRITICAL
    assert told[4] == [(Severity.INFO, "Machine local is in order", True)]


def test_a_trouble_that_lasts_is_told_again_after_ten_minutes(settings: Settings) -> None:
    alarms = Alarms(settings)

    assert [len(alarms.judge([machine(91, 10)], clock)) for clock in (0, 10, 599, 600, 610)] == [1, 0, 0, 1, 0]


def test_a_part_that_comes_back_by_itself_needs_nobody(settings: Settings) -> None:
    alarms = Alarms(settings)
    alarms.judge([part("ok")], 0)
    down = part("failed", "backoff: exited too quickly\nand more")

    assert [said(alarms.judge([look], clock)) for clock, look in ((10, down), (180, down), (190, part("ok")))] == [
        [],
        [],
        [(Severity.INFO, "Process kafka is in order", True)],
    ]
    assert [said(alarms.judge([down], clock)) for clock in (200, 380)] == [
        [],
        [(Severity.CRITICAL, "Part kafka is not healthy: backoff: exited too quickly", False)],
    ]


@pytest.mark.parametrize("reason", ["not started", "stopped: Nov 25 03:00 AM"])
def test_what_was_stopped_on_purpose_is_no_trouble(settings: Settings, reason: str) -> None:
    alarms = Alarms(settings)

    assert [alert.resolved for clock in (0, 1_000) for alert in alarms.judge([part("failed", reason)], clock)] == [True]


def test_numbers_that_lag_behind_are_told_and_those_of_an_idle_shop_are_not(settings: Settings) -> None:
    alarms = Alarms(settings)
    late, idle = of_freshness(NOW, freshness(95, 95)), of_freshness(NOW, freshness(3_600, 2))

    assert (late.status, idle.status) == ("degraded", "ok")
    assert alarms.judge([late], 0) == alarms.judge([late], 119) == []
    (alert,) = alarms.judge([late], 120)
    assert (alert.kind, alert.subject) == (Kind.FRESHNESS, "The numbers are 95 s behind (at most 60 s)")


def _recomputed(settings: Settings, hours_ago: float) -> None:
    commit = Path(settings.table_path(Table.GOLD_METRICS_HOURLY)) / "_delta_log" / f"{0:020}.json"
    commit.parent.mkdir(parents=True)
    commit.touch()
    stamp = NOW.timestamp() - hours_ago * 3600
    os.utime(commit, (stamp, stamp))


def _sealed(settings: Settings, hours_ago: float) -> None:
    segment = Segment(1, "q", 0, 5, {}, (NOW - timedelta(hours=hours_ago)).isoformat())
    ledger_path(settings).parent.mkdir(parents=True)
    ledger_path(settings).write_text(json.dumps({"segments": [segment.__dict__]}))


def test_a_missed_recompute_and_a_missed_handover_are_deadlines(settings: Settings) -> None:
    _recomputed(settings, 3)
    _sealed(settings, 4)

    alerts = Alarms(settings).judge(of_deadlines(NOW, settings, 100_000), 0)

    assert {alert.kind for alert in alerts} == {Kind.DEADLINE}
    assert [alert.subject for alert in alerts] == [
        "Gold.metrics_hourly was last recomputed 180 min ago (due every 135 min)",
        "Handover left its oldest segment waiting 240 min ago (due every 135 min)",
    ]


def test_a_platform_that_was_off_is_given_time_to_catch_up(settings: Settings) -> None:
    _recomputed(settings, 30)
    _sealed(settings, 30)

    assert {record.status for record in of_deadlines(NOW, settings, 60)} == {"ok"}
    assert {record.status for record in of_deadlines(NOW, settings, 9_000)} == {"degraded"}


def test_nothing_is_due_before_there_is_anything(settings: Settings) -> None:
    assert [(record.subject, record.status) for record in of_deadlines(NOW, settings, 1e6)] == [("handover", "ok")]
