"""Audits: what counts as a difference, and when the streams have all that is audited."""

import json
from pathlib import Path

import pytest

from include.audit.audit import last_days
from include.audit.report import AuditReport, Difference, Total, audits_dir, totals
from include.audit.settled import STREAMS, behind, wait_settled
from include.config import Settings
from include.errors import PartUnavailableError
from include.names import Query
from include.supervision.heartbeat import Heartbeat, write_heartbeat


@pytest.mark.parametrize(
    ("expected", "low", "high", "gap"),
    [(10, 10, 10, 0), (10, 8, 12, 0), (10, 11, 12, 1), (10, 7, 9, -1), (0, 0, 0, 0)],
)
def test_a_live_total_is_right_when_it_lies_between_its_two_readings(
    expected: int, low: int, high: int, gap: int
) -> None:
    assert Total("2026-11-24T10", expected, low, high).gap == gap


def test_totals_that_only_one_side_has_are_compared_too() -> None:
    found = totals({"a": 1}, {"b": 2}, {"b": 2})
    assert [(one.span, one.gap) for one in found] == [("a", -1), ("b", 2)]


def _report(*differences: Difference, live: tuple[Total, ...] = ()) -> AuditReport:
    time = "2026-11-24T12:00:00.000+00:00"
    return AuditReport("audit-1", time, time, ["2026-11-24"], {"kafka_ids": 3}, list(differences), live=list(live))


def test_a_report_lists_differences_by_event_and_is_kept(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, platform_data_dir=tmp_path)
    wrong = Total("2026-11-24T10", 5, 6, 6, ("event-0001",))
    report = _report(Difference("in bronze, not in silver", 7, ("purchases event-0002",)), live=(wrong,))
    path = report.keep(settings)
    body = json.loads(path.read_text(encoding="utf-8"))
    assert path.parent == audits_dir(settings)
    assert body["findings"] == [
        "7 in bronze, not in silver: purchases event-0002 and 2 more",
        "1 live total of 2026-11-24T10 (must be 5, is 6): event-0001",
    ]
    record = report.health_record().document()
    assert (record["status"], record["metrics"]["differences"], record["metrics"]["live_gap"]) == ("failed", 7.0, 1.0)
    assert not report.alert(settings, path).resolved


def test_a_report_without_differences_says_that_it_is_over(tmp_path: Path) -> None:
    report = _report()
    assert (report.status, report.health_record().document()["reason"]) == ("ok", None)
    assert report.alert(Settings(_env_file=None), tmp_path).resolved


def test_the_last_days_end_today() -> None:
    from datetime import UTC, datetime

    assert last_days(3, datetime(2026, 3, 1, 0, 5, tzinfo=UTC)) == ["2026-02-27", "2026-02-28", "2026-03-01"]


def test_a_stream_that_is_behind_is_waited_for_and_then_named(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, platform_data_dir=tmp_path, handover_archive_seconds=0)
    ends = {"purchases": {0: 10, 1: 5}}
    for query in STREAMS:
        lag = 3 if query is Query.DEAD_LETTERS else 0
        reached = {"purchases": {0: 10 - lag, 1: 5}}
        write_heartbeat(settings, query, Heartbeat(query.value, "id", 1, 0.0, 0.0, end_offsets=reached))
    assert behind(settings, ends) == ["dead_letters lacks 3 records"]
    with pytest.raises(PartUnavailableError, match="dead_letters lacks 3 records after waiting 0 s; start the speed"):
        wait_settled(settings, ends)
    assert behind(settings, {"purchases": {0: 7}}) == []
