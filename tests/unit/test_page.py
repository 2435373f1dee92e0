"""The logic of the Platform page, without servers."""

import hashlib
import re
import threading
from datetime import UTC, datetime, timedelta

import pytest

from include.config import PROJECT_ROOT, Settings
from include.local.ports import find_free
from include.page.application import STATIC
from include.page.cache import Cached
from include.page.figures import percentiles, points
from include.page.live import Live
from include.page.ranges import RANGES
from include.page.searches import ACTIVITY

NOW = datetime(2026, 3, 2, 12, 0, 7, tzinfo=UTC)


def test_vendored_files_are_the_ones_that_are_written_down() -> None:
    table = (STATIC / "vendor" / "VENDORED.md").read_text()
    written = dict(re.findall(r"^\| `([\w.]+)` .*`([0-9a-f]{64})` \|$", table, re.MULTILINE))

    assert set(written) == {"uPlot.iife.min.js", "uPlot.min.css"}
    for name, digest in written.items():
        assert hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == digest


def test_nothing_of_the_page_comes_from_elsewhere() -> None:
    for path in STATIC.glob("*.*"):
        assert not re.search(r"https?://(?!www\.w3\.org/)", path.read_text(encoding="utf-8")), path.name


@pytest.mark.parametrize(("name", "start"), [("15m", "11:45:00"), ("1h", "11:00:00"), ("24h", "12:00:00")])
def test_a_range_starts_on_a_whole_point(name: str, start: str) -> None:
    since, until = RANGES[name].bounds(NOW)

    assert f"{since:%H:%M:%S}" == start
    assert until == NOW


def test_a_value_is_computed_once_in_its_time() -> None:
    clock = [0.0]
    made: list[int] = []
    cached: Cached[int] = Cached(2, clock=lambda: clock[0])

    def compute() -> int:
        made.append(len(made))
        return made[-1]

    seen = []
    for second in (0.0, 1.9, 2.0, 5.0):
        clock[0] = second
        seen.append(cached.get("k", compute))

    assert seen == [0, 0, 1, 2]


def test_who_has_something_to_show_does_not_wait_for_who_computes() -> None:
    clock = [0.0]
    cached: Cached[str] = Cached(1, clock=lambda: clock[0])
    cached.get("k", lambda: "old")
    clock[0] = 5
    computing, go = threading.Event(), threading.Event()

    def slow() -> str:
        computing.set()
        assert go.wait(10)
        return "new"

    thread = threading.Thread(target=lambda: cached.get("k", slow))
    thread.start()
    assert computing.wait(10)
    assert cached.get("k", slow) == "old"
    go.set()
    thread.join()

    assert cached.get("k", slow) == "new"


def test_an_error_is_not_kept() -> None:
    cached: Cached[int] = Cached(60)
    with pytest.raises(ZeroDivisionError):
        cached.get("k", lambda: 1 // 0)

    assert cached.get("k", lambda: 7) == 7


def test_a_series_has_a_column_for_each_currency_and_no_sum_over_them() -> None:
    def bucket(second: int, *sales: tuple[str, int, int]) -> dict[str, object]:
        found = [{"key": c, "orders": {"value": float(n)}, "revenue": {"value": float(cents)}} for c, n, cents in sales]
        activity = {name: {"value": None} for name in ACTIVITY}
        return {"key": second * 1000, "events": {"value": 5.0}, "currencies": {"buckets": found}, **activity}

    answer = {
        "aggregations": {"points": {"buckets": [bucket(10, ("EUR", 2, 999)), bucket(20, ("USD", 1, 5)), bucket(30)]}}
    }
    found = points(answer, shift_seconds=100)

    assert found["time"] == [110.0, 120.0, 130.0]
    assert found["revenue"] == {"EUR": [999, 0, 0], "USD": [0, 5, 0]}
    assert found["orders"] == {"EUR": [2, 0, 0], "USD": [0, 1, 0]}
    assert found["users"] == [None, None, None]


def test_latency_is_taken_by_micro_batch_from_arrival_to_the_index() -> None:
    def document(batch: int, oldest_ms: int, newest_ms: int) -> dict[str, object]:
        def before(ms: int) -> str:
            return (NOW - timedelta(milliseconds=ms)).isoformat()

        source = {"batch_id": batch, "indexed_at": NOW.isoformat()}
        return {"_source": source | {"kafka_time_min": before(oldest_ms), "kafka_time_max": before(newest_ms)}}

    hits = [document(1, 500, 200), document(1, 900, 300), document(2, 400, 100)]

    assert percentiles({"hits": {"hits": hits}}) == {
        "batches": 2,
        "newest_p50": 0.2,
        "oldest_p50": 0.9,
        "oldest_p99": 0.9,
    }
    assert percentiles({"hits": {"hits": []}}) is None


def test_without_elasticsearch_the_reason_is_told_and_streams_are_still_there(tmp_path: object) -> None:
    settings = Settings(_env_file=None, platform_data_dir=tmp_path, elasticsearch_port=find_free(1)[0])
    answer = Live(settings).answer(RANGES["1h"], NOW)

    assert answer["problem"].startswith("elasticsearch is not available")
    assert "kpis" not in answer
    assert {stream["state"] for stream in answer["streams"]} == {"off"}
    assert PROJECT_ROOT not in settings.platform_data_dir.parents
