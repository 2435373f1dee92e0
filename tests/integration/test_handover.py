"""The handover on a real Elasticsearch, with the recomputation in this process and the speed layer's own transforms."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from include.alerting.store import store_path
from include.config import Settings
from include.errors import HandoverRefusedError
from include.handover.runs import Step
from include.names import Alias, Table
from include.serving.aliases import create_index, indices_behind
from spark_jobs.io import read
from tests.integration.handover_shop import DAY, WINDOW, Shop, open_shop, shown
from tests.spark.bronze_rows import order, visit
from tests.spark.conftest import spark  # noqa: F401


@pytest.fixture
def shop(spark: SparkSession, elasticsearch: Settings, tmp_path: Path) -> Iterator[Shop]:  # noqa: F811
    with open_shop(spark, elasticsearch, tmp_path) as opened:
        yield opened


def test_batch_indices_take_the_place_of_segments_and_the_sums_stay(shop: Shop) -> None:
    first = order("a", 0)
    shop.receive(first, order("b", 1, "2.50", happened=-DAY), visit("v", 0))
    shop.receive(first.again(2, at=30), order("c", 3, "0.10", at=31))
    assert shop.total() == (3, 1260)
    run = shop.hand_over()
    assert (run.step, run.drift, run.unexplained) == (Step.DONE, 0.0, 0)
    assert run.days == ("2026-03-09", "2026-03-10")
    behind = indices_behind(shop.client, Alias.METRICS)
    assert [name for name in behind if "activity" not in name] == [
        "metrics-batch-2026-03-09-000001",
        "metrics-batch-2026-03-10-000001",
    ]
    assert shop.total() == (3, 1260)


def test_a_late_event_after_a_handover_reopens_only_its_own_day(shop: Shop) -> None:
    shop.receive(order("a", 0), order("b", 1, happened=-DAY))
    shop.hand_over()
    shop.receive(order("c", 2, "5.00", happened=-DAY, at=60))
    assert shop.total() == (3, 2500)
    run = shop.hand_over()
    assert (run.days, run.drift) == (("2026-03-09",), 0.0)
    ledger = read(shop.spark, Table.GOLD_LATE_WINDOWS, shop.settings).where(f"run_id = '{run.run_id}'")
    [late] = ledger.select(F.hour("window_start"), "event_date", "events", "most_late_seconds").collect()
    assert (late[0], late[1].isoformat(), late[2], late[3] // 3600) == (12, "2026-03-09", 1, 24)
    assert "metrics-batch-2026-03-10-000001" in indices_behind(shop.client, Alias.METRICS)
    assert "metrics-batch-2026-03-09-000001" not in indices_behind(shop.client, Alias.METRICS)
    assert shop.total() == (3, 2500)


def test_a_copy_that_the_speed_layer_counted_again_is_explained_and_taken_back(shop: Shop) -> None:
    first = order("a", 0)
    shop.receive(first)
    shop.hand_over()
    shop.receive(first.again(1, at=WINDOW + 1))
    assert shop.total() == (2, 2000)
    run = shop.hand_over()
    assert (run.unexplained, run.causes["repeated"], run.drift) == (0, 1, 1.0)
    assert shop.total() == (1, 1000)


def test_an_unexplained_difference_stops_the_handover_until_a_person_accepts_it(shop: Shop) -> None:
    shop.receive(order("a", 0))
    shop.show_phantom("metrics-speed-000001")
    before = indices_behind(shop.client, Alias.METRICS)
    with pytest.raises(HandoverRefusedError, match=r"1 cell\(s\) differ"):
        shop.hand_over()
    assert indices_behind(shop.client, Alias.METRICS) == before
    assert b"Handover 000001 refused" in store_path(shop.settings).read_bytes()
    run = shop.handover().run(accept="the phantom was written by hand")
    assert run is not None
    assert (run.step, run.unexplained) == (Step.DONE, 1)
    assert shop.total() == (1, 1000)


def test_a_rehearsal_compares_and_switches_nothing(shop: Shop) -> None:
    shop.receive(order("a", 0))
    before = indices_behind(shop.client, Alias.METRICS)
    assert shop.hand_over(rehearse=True).step is Step.REHEARSED
    assert indices_behind(shop.client, Alias.METRICS) == before
    assert shop.handover().run() is not None


def test_a_handover_killed_at_any_step_is_finished_by_the_next_and_readers_see_no_half(shop: Shop) -> None:
    shop.receive(order("a", 0), order("b", 1, happened=-DAY))
    shop.hand_over()
    shop.receive(order("c", 2, "5.00", happened=-DAY, at=60), order("d", 3, "1.00", at=61))
    shop.seal()
    store = shop.handover().store
    run = store.plan(shop.segments.sealed())
    while not run.step.is_last:
        # Killed after the step's effects but before its record: the step is done twice.
        shop.handover().advance(run)
        assert shop.total() == (4, 2600)
        run = shop.handover().advance(run)
        assert shop.total() == (4, 2600)
        assert store.unfinished() == (None if run.step is Step.DONE else run)
    assert shop.segments.sealed() == []
    assert [name for name in indices_behind(shop.client, Alias.METRICS) if "batch" in name] == [
        "metrics-batch-2026-03-09-000002",
        "metrics-batch-2026-03-10-000002",
    ]


def test_a_half_written_batch_index_is_written_anew(shop: Shop) -> None:
    shop.receive(order("a", 0))
    shop.seal()
    handover = shop.handover()
    run = handover.store.plan(shop.segments.sealed())
    while run.step is not Step.COMPARED:
        run = handover.advance(run)
    create_index(shop.client, "metrics-batch-2026-03-10-000001")
    document = {"window_start": "2026-03-10T12:00:00Z", "dimension": "all", "value": "all", "orders": 99}
    shop.client.index(index="metrics-batch-2026-03-10-000001", id="half", document=document)
    assert shop.total() == (1, 1000)
    finished = shop.handover().run()
    assert finished is not None
    assert (finished.step, shop.total()) == (Step.DONE, (1, 1000))


def test_what_was_replaced_is_deleted_only_when_no_search_can_be_in_flight(shop: Shop) -> None:
    shop.receive(order("a", 0))
    shop.hand_over()
    assert shop.handover().run() is None
    assert shop.client.indices.exists(index="metrics-speed-000001")
    store = shop.handover().store
    last = store.last_done()
    assert last is not None
    store.save(replace(last, finished_at="2026-03-10T00:00:00+00:00"))
    shop.handover().run()
    assert not shop.client.indices.exists(index="metrics-speed-000001")


def test_bronze_that_lags_behind_the_segments_is_waited_for_and_named(shop: Shop) -> None:
    from include.errors import PartUnavailableError

    shop.receive(order("a", 0))
    shop.ends["purchases"][0] = 5
    shop._log("offsets", "v1\n{}\n" + json.dumps(shop.ends))
    (shop.checkpoint / "commits" / "1").write_text("v1\n{}")
    (shop.checkpoint / "offsets" / "1").write_text("v1\n{}\n" + json.dumps(shop.ends))
    with pytest.raises(PartUnavailableError, match="purchases-0 at 1 of 5"):
        shop.hand_over()


def test_a_client_never_sees_the_total_fall_or_pass_the_truth(shop: Shop) -> None:
    seen: list[tuple[int, tuple[int, int]]] = []
    truth, stop = [0], threading.Event()

    def watch() -> None:
        while not stop.is_set():
            found = shown(shop.client)
            seen.append((truth[0], found))
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for number in range(2):
            first = order(f"m{number}", number * 3, at=number)
            late = order(f"n{number}", number * 3 + 1, happened=-DAY, at=number)
            truth[0] += 2
            shop.receive(first, late, first.again(number * 3 + 2, at=number + 0.5))
            assert shop.hand_over().drift == 0.0
    finally:
        stop.set()
        watcher.join(10)
    totals = [found for _, found in seen]
    assert totals == sorted(totals)
    assert all(orders <= sent and cents == orders * 1000 for sent, (orders, cents) in seen)
    assert (shop.total(), len(seen) > 20) == ((4, 4000), True)
