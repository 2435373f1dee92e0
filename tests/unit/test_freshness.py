"""Freshness: what is complete up to when, what is late, and what is left of the month's error budget."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from include.config import Settings
from include.freshness.ages import Age, ages
from include.freshness.budget import budgets, note
from include.freshness.watch import alerts
from include.names import Query, Table
from include.supervision.heartbeat import Heartbeat, write_heartbeat

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def settings_in(folder: Path) -> Settings:
    return Settings(_env_file=None, platform_data_dir=folder)


def beat(settings: Settings, query: Query, end: int, moved_seconds_ago: float, trigger_ms: int = 1000) -> None:
    moved = NOW.timestamp() - moved_seconds_ago
    ends = {"purchases": {0: end}}
    write_heartbeat(
        settings,
        query,
        Heartbeat(query.value, "id", 1, 0.0, moved, trigger_ms=trigger_ms, end_offsets=ends, offsets_moved_at=moved),
    )


def commit(settings: Settings, table: Table, seconds_ago: float) -> None:
    log = Path(settings.table_path(table)) / "_delta_log"
    log.mkdir(parents=True)
    time = round((NOW.timestamp() - seconds_ago) * 1000)
    line = json.dumps({"commitInfo": {"operation": "WRITE", "timestamp": time}})
    (log / f"{0:020d}.json").write_text(line, encoding="utf-8")


def found(settings: Settings) -> dict[str, Age]:
    return {age.subject: age for age in ages(settings, {"purchases": {0: 10}}, {"metrics": NOW}, NOW)}


def test_a_stream_for_which_nothing_waits_is_complete_up_to_now_however_quiet_it_is(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    beat(settings, Query.LIVE_METRICS, end=10, moved_seconds_ago=3600)
    age = found(settings)["live_metrics"]
    assert (age.complete_up_to, age.age_seconds, age.is_late, age.offsets) == (NOW, 0.0, False, {"purchases": {0: 10}})


def test_a_stream_for_which_records_wait_is_as_old_as_its_last_step_and_so_is_what_it_fills(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    beat(settings, Query.LIVE_METRICS, end=9, moved_seconds_ago=61)
    beat(settings, Query.LIVE_ACTIVITY, end=10, moved_seconds_ago=61)
    beat(settings, Query.BRONZE_ARCHIVE, end=9, moved_seconds_ago=59)
    seen = found(settings)
    assert (seen["live_metrics"].is_late, seen["live_activity"].is_late) == (True, False)
    assert (seen["metrics"].is_late, seen["metrics"].kind, seen["metrics"].newest) == (True, "index", NOW)
    assert (seen["bronze.events"].is_late, seen["bronze.events"].age_seconds) == (False, 59.0)
    assert "events" not in seen


def test_a_stream_that_tells_its_progress_at_checkpoints_has_their_pause_more(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    beat(settings, Query.FRAUD_INSTANT, end=9, moved_seconds_ago=200, trigger_ms=180_000)
    assert not found(settings)["fraud_instant"].is_late


@pytest.mark.parametrize(
    ("done_ago", "archived_ago", "age", "is_late"),
    [(3600, 7200, 0.0, False), (3600, 5, 3600.0, False), (7300, 5, 7300.0, True)],
    ids=["nothing came since", "an hour behind", "two hours behind"],
)
def test_silver_and_gold_are_as_complete_as_the_last_batch_run(
    tmp_path: Path, done_ago: float, archived_ago: float, age: float, is_late: bool
) -> None:
    settings = settings_in(tmp_path)
    commit(settings, Table.BRONZE_EVENTS, archived_ago)
    commit(settings, Table.BATCH_PROGRESS, done_ago)
    commit(settings, Table.SILVER_PURCHASES, 9000)
    seen = found(settings)
    assert (seen["silver.purchases"].age_seconds, seen["silver.purchases"].is_late) == (age, is_late)
    assert seen["silver.purchases"].newest == NOW - timedelta(seconds=9000)
    assert "gold.metrics_daily" not in seen


def late(seconds: float) -> Age:
    return Age("stream", "live_metrics", NOW, seconds, 60)


def test_the_budget_is_used_by_the_time_between_looks_that_find_it_late(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    looks = [(0, 0.0), (60, 70.0), (120, 80.0), (180, 0.0), (3780, 90.0)]
    changes = [note(settings, [late(age)], NOW + timedelta(seconds=at)) for at, age in looks]
    assert changes == [{}, {"live_metrics": True}, {}, {"live_metrics": False}, {"live_metrics": True}]
    budget = budgets(settings, NOW)["live_metrics"]
    # Of the hour in which nobody looked, five minutes count.
    assert (budget.watched_seconds, budget.late_seconds) == (480.0, 420.0)
    assert budget.allowed_seconds == pytest.approx(0.001 * 30 * 86_400)
    assert budget.left == pytest.approx(1 - 420 / 2592)


def test_a_month_begins_with_a_whole_budget_and_remembers_what_is_late(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    note(settings, [late(70)], NOW)
    december = NOW + timedelta(days=10)
    assert budgets(settings, december) == {}
    assert note(settings, [late(70)], december) == {}
    assert budgets(settings, december)["live_metrics"].left == 1


def test_what_becomes_late_is_told_with_the_budget_and_its_end_resolves_it(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    note(settings, [late(0)], NOW)
    changed = note(settings, [late(75)], NOW + timedelta(seconds=60))
    (told,) = alerts(settings, [late(75)], budgets(settings, NOW), changed)
    assert told.subject == "stream live_metrics is 75 s behind, 60 s are allowed"
    assert told.evidence["error budget left this month"] == "98% of 43 min"
    changed = note(settings, [late(0)], NOW + timedelta(seconds=120))
    (over,) = alerts(settings, [late(0)], budgets(settings, NOW), changed)
    assert (over.resolved, over.key) == (True, told.key)
    assert list(alerts(settings, [late(0)], budgets(settings, NOW), {})) == []
