import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from include.config import Settings
from include.names import Query
from include.supervision.health import DEFAULT_BOUNDS, Verdict, bounds_of, check, judge, sick_shares
from include.supervision.heartbeat import Heartbeat, heartbeat_path, read_heartbeat, write_heartbeat
from include.supervision.lease import Lease, lease_path
from include.supervision.progress import advance, record_of
from include.supervision.shares import Share

NOW = 1_000_000.0
HEALTHY = Heartbeat(
    query="live_metrics",
    query_id="q",
    pid=1,
    started_at=NOW - 600,
    updated_at=NOW - 1,
    batch_id=7,
    trigger_ms=1000,
    batch_ms=300,
    end_offsets={"purchases": {0: 100, 1: 200}},
    offsets_moved_at=NOW - 1,
    watermark=NOW - 601,
    input_rows=300,
    rows_per_second=50.0,
)
CAUGHT_UP = {"purchases": {0: 100, 1: 200}}
WAITING = {"purchases": {0: 150, 1: 250}}


def verdict(beat: Heartbeat | None, broker: Any = CAUGHT_UP, is_alive: bool = True) -> Verdict:
    return judge(Query.LIVE_METRICS, beat, is_alive, broker, NOW, DEFAULT_BOUNDS)


def test_a_stream_that_moves_is_healthy() -> None:
    assert verdict(HEALTHY) == Verdict("live_metrics", metrics=verdict(HEALTHY).metrics)
    assert verdict(HEALTHY).metrics["lag"] == 0


def test_an_idle_stream_is_healthy_however_long_nothing_arrives() -> None:
    assert verdict(replace(HEALTHY, offsets_moved_at=NOW - 5000, started_at=NOW - 9000)).status == "ok"


@pytest.mark.parametrize(
    ("changes", "broker", "reason"),
    [
        ({"offsets_moved_at": NOW - 90}, WAITING, "offsets stand still for 90 s while 100 records wait"),
        ({"watermark_still_for": 75.0}, CAUGHT_UP, "the watermark stood still for 75 s of input"),
        ({"updated_at": NOW - 100}, CAUGHT_UP, "no progress was told for 100 s"),
        ({"ended": "out of memory"}, CAUGHT_UP, "its driver lives, but the query does not run"),
    ],
)
def test_what_a_restart_may_mend_asks_for_one(changes: dict[str, Any], broker: Any, reason: str) -> None:
    found = verdict(replace(HEALTHY, **changes), broker)

    assert (found.status, found.restart) == ("failed", True)
    assert found.reasons[0].startswith(reason)


@pytest.mark.parametrize(
    ("changes", "broker", "reason"),
    [
        ({"rows_per_second": 1.0}, WAITING, "100 records wait, 100 s of work"),
        ({"slow_since": NOW - 400, "batch_ms": 1700}, CAUGHT_UP, "micro-batches take longer than their trigger"),
        ({"rejected_share": 0.5}, CAUGHT_UP, "50% of the latest records are dead letters"),
    ],
)
def test_what_a_restart_cannot_mend_is_told_only(changes: dict[str, Any], broker: Any, reason: str) -> None:
    found = verdict(replace(HEALTHY, **changes), broker)

    assert (found.status, found.restart) == ("degraded", False)
    assert found.reasons[0].startswith(reason)


def test_a_driver_that_just_started_may_take_its_time() -> None:
    fresh = Heartbeat("live_metrics", "q", 1, started_at=NOW - 70, updated_at=NOW - 70, offsets_moved_at=NOW - 70)
    assert verdict(fresh).status == "ok"
    assert verdict(replace(fresh, updated_at=NOW - 95)).status == "failed"


def test_without_a_driver_the_reason_is_why_the_last_one_ended() -> None:
    found = verdict(replace(HEALTHY, ended="disk is full\nat line 1"), is_alive=False)

    assert found.reasons == ("no driver runs it: disk is full",)
    assert verdict(None, is_alive=False).reasons == ("no driver runs it",)


def test_nothing_is_restarted_while_what_it_needs_is_away() -> None:
    broken = Verdict("live_metrics", "failed", ("stands still",), restart=True)

    assert sick_shares([broken, Verdict("kafka"), Verdict("elasticsearch")]) == {Share.URGENT}
    assert not sick_shares([broken, Verdict("kafka"), Verdict("elasticsearch", "failed", ("no answer",))])
    assert not sick_shares([Verdict("live_metrics", "degraded", ("slow",)), Verdict("kafka")])


def test_the_background_may_take_its_time() -> None:
    busy = replace(HEALTHY, offsets_moved_at=NOW - 120)
    broker = {"purchases": {0: 1000}}

    found = {query: judge(query, busy, True, broker, NOW, bounds_of(query)).status for query in Query}

    assert found[Query.LIVE_METRICS] == "failed"
    assert found[Query.DEAD_LETTERS] != "failed"


def test_a_sick_stream_of_the_background_leaves_the_urgent_driver_alone() -> None:
    broken = Verdict("dead_letters", "failed", ("stands still",), restart=True)

    assert sick_shares([broken, Verdict("live_metrics"), Verdict("kafka")]) == {Share.BACKGROUND}


def test_a_platform_that_is_off_is_described_and_not_an_exception(tmp_path: Path) -> None:
    off = Settings(
        _env_file=None,
        platform_data_dir=tmp_path,
        kafka_bootstrap_servers="127.0.0.1:1",
        elasticsearch_url="http://127.0.0.1:1",
    )
    found = {found.subject: found for found in check(off)}

    assert {subject for subject, one in found.items() if one.status == "failed"} >= {"kafka", "elasticsearch"}
    assert found["live_metrics"].reasons == ("no driver runs it",)
    assert found["disk"].metrics["free_megabytes"] > 0


def test_a_heartbeat_is_read_as_it_was_written(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, platform_data_dir=tmp_path)
    assert read_heartbeat(settings, Query.LIVE_METRICS) is None

    write_heartbeat(settings, Query.LIVE_METRICS, HEALTHY)

    assert read_heartbeat(settings, Query.LIVE_METRICS) == HEALTHY


def test_a_living_lease_is_what_makes_a_driver_alive(tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None,
        platform_data_dir=tmp_path,
        kafka_bootstrap_servers="127.0.0.1:1",
        elasticsearch_url="http://127.0.0.1:1",
    )
    Lease(lease_path(settings, Query.LIVE_METRICS)).acquire()
    write_heartbeat(settings, Query.LIVE_METRICS, replace(HEALTHY, updated_at=time.time()))

    found = {found.subject: found.status for found in check(settings)}

    assert (found["live_metrics"], found["live_activity"]) == ("ok", "failed")


def test_a_heartbeat_of_another_version_is_read(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, platform_data_dir=tmp_path)
    write_heartbeat(settings, Query.LIVE_METRICS, HEALTHY)
    path = heartbeat_path(settings, Query.LIVE_METRICS)
    path.write_text(json.dumps({**json.loads(path.read_text()), "of_old": 1}))

    assert read_heartbeat(settings, Query.LIVE_METRICS) == HEALTHY


def progress(
    batch: int, rows: int, end: int, watermark: str, *, latest: str = "", dropped: int = 0, batch_ms: int = 300
) -> dict[str, Any]:
    """A progress as Spark 4.2 tells it, shortened."""
    return {
        "name": "live_metrics",
        "batchId": batch,
        "numInputRows": rows,
        "processedRowsPerSecond": rows * 1000 / batch_ms,
        "durationMs": {"triggerExecution": batch_ms, "addBatch": batch_ms - 50},
        "eventTime": {"watermark": watermark, **({"max": latest} if latest else {})},
        "stateOperators": [{"numRowsTotal": rows, "numRowsDroppedByWatermark": dropped, "memoryUsedBytes": 1000}],
        "sources": [{"endOffset": json.dumps({"purchases": {"0": end}})}],
    }


def test_progress_with_input_moves_offsets_and_watermark() -> None:
    first = advance(replace(HEALTHY, end_offsets={}), progress(1, 5, 105, "2026-11-24T00:00:00.000Z"), NOW)
    second = advance(first, progress(2, 7, 112, "2026-11-24T00:00:01.000Z", dropped=2), NOW + 1, too_late=3)

    assert second.end_offsets == {"purchases": {0: 112}}
    assert (second.offsets_moved_at, second.watermark_still_for) == (NOW + 1, 0)
    assert (second.input_rows, second.too_late) == (312, 5)


def test_a_watermark_that_stands_still_under_later_events_is_timed() -> None:
    beat = HEALTHY
    for second in range(0, 100, 10):
        told = progress(
            second, 5, 105 + second, "2026-11-24T00:00:00.000Z", latest=f"2026-11-24T01:{second // 10:02}:00Z"
        )
        beat = advance(beat, told, NOW + second)

    assert beat.watermark_still_for == 80


def test_a_watermark_may_stand_still_while_history_is_replayed() -> None:
    beat = HEALTHY
    for second in range(0, 100, 10):
        told = progress(second, 5, 105 + second, "2026-11-24T00:00:00.000Z", latest="2026-11-24T01:00:00Z")
        beat = advance(beat, told, NOW + second)
        if second == 0:
            # The one after the latest event moves it.
            told = progress(1, 5, 106, "2026-11-24T00:10:00.000Z", latest="1997-01-01T00:00:00Z")
            beat = advance(beat, told, NOW + 1)

    assert beat.watermark_still_for == 0


def test_a_watermark_may_stand_still_while_nothing_arrives() -> None:
    watermark, latest = "2026-11-24T00:00:00.000Z", "2026-11-24T01:00:00Z"
    beat = advance(HEALTHY, progress(1, 5, 105, watermark, latest=latest), NOW)
    beat = advance(beat, progress(1, 5, 110, watermark, latest=latest), NOW + 1)
    beat = advance(beat, progress(1, 0, 110, watermark), NOW + 500)

    assert beat.watermark_still_for == 0


def test_slowness_lasts_until_a_micro_batch_is_in_time() -> None:
    watermark = "2026-11-24T00:00:00.000Z"
    slow = advance(HEALTHY, progress(1, 5, 105, watermark, batch_ms=1500), NOW)
    still_slow = advance(slow, progress(2, 5, 110, watermark, batch_ms=1500), NOW + 2)
    in_time = advance(still_slow, progress(3, 5, 115, watermark, batch_ms=900), NOW + 3)

    assert (still_slow.slow_since, in_time.slow_since) == (NOW, None)


def test_the_record_tells_what_was_too_late() -> None:
    record = record_of(replace(HEALTHY, too_late=3), lag=12)

    assert (record.status, record.reason) == ("ok", None)
    assert record.metrics["too_late"] == 3
    assert (record.metrics["lag"], record.metrics["watermark_age"]) == (12.0, 600.0)
