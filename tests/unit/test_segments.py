import json
import multiprocessing
from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.handover.checkpoint import LedgerError, end_offsets_of, query_id_of
from include.handover.live_segments import LiveSegments
from include.handover.segments import Segment, SegmentLedger, segment_index


class Checkpoint:
    """A checkpoint's folder as Spark leaves it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.name_query("query-1")

    def name_query(self, query_id: str) -> None:
        (self.path / "metadata").write_text(json.dumps({"id": query_id}), encoding="utf-8")

    def plan(self, batch_id: int, purchases: int, users: int) -> None:
        offsets = self.path / "offsets"
        offsets.mkdir(parents=True, exist_ok=True)
        source = json.dumps({"purchases": {"0": purchases}, "user-events": {"0": users, "1": users}})
        (offsets / str(batch_id)).write_text(f'v1\n{{"batchWatermarkMs":0}}\n{source}', encoding="utf-8")

    def commit(self, batch_id: int) -> None:
        commits = self.path / "commits"
        commits.mkdir(parents=True, exist_ok=True)
        (commits / str(batch_id)).write_text('v1\n{"nextBatchWatermarkMs":0}', encoding="utf-8")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    made = Checkpoint(tmp_path / "checkpoint")
    for batch_id in range(4):
        made.plan(batch_id, purchases=10 * (batch_id + 1), users=100 * (batch_id + 1))
        made.commit(batch_id)
    return made


@pytest.fixture
def live(tmp_path: Path, checkpoint: Checkpoint) -> LiveSegments:
    return LiveSegments(tmp_path / "ledger.json", checkpoint.path)


def reopened(tmp_path: Path) -> LiveSegments:
    return LiveSegments(tmp_path / "ledger.json", tmp_path / "checkpoint")


def test_index_names_are_padded_so_that_they_sort() -> None:
    assert segment_index(1) == "metrics-speed-000001"
    assert sorted([segment_index(10), segment_index(9)]) == [segment_index(9), segment_index(10)]


def test_without_a_request_every_micro_batch_shares_one_open_segment(live: LiveSegments) -> None:
    assert [live.segment_of(batch_id).number for batch_id in (0, 1, 2)] == [1, 1, 1]
    assert live.sealed() == []


def test_a_seal_ends_the_segment_before_the_micro_batch_that_honours_it(live: LiveSegments) -> None:
    live.segment_of(0)
    live.segment_of(1)
    request = live.request_seal()

    assert live.segment_of(2).number == 2
    [sealed] = live.sealed()
    assert (sealed.number, sealed.first_batch, sealed.last_batch) == (1, 0, 1)
    assert sealed.end_offsets == {"purchases": {0: 20}, "user-events": {0: 200, 1: 200}}
    assert sealed.seal_request == request
    assert live.seal_request() is None


def test_a_replayed_micro_batch_lands_where_its_first_try_landed(live: LiveSegments, tmp_path: Path) -> None:
    first_tries = [live.segment_of(0), live.segment_of(1)]
    live.request_seal()
    first_tries.append(live.segment_of(2))

    after_crash = reopened(tmp_path)
    after_crash.request_seal()

    assert after_crash.segment_of(2).number == first_tries[2].number
    assert [after_crash.segment_of(batch_id).number for batch_id in (0, 1, 2)] == [1, 1, 2]


def test_a_crash_between_writing_the_ledger_and_removing_the_request_seals_once(
    live: LiveSegments, tmp_path: Path
) -> None:
    live.segment_of(0)
    request = live.request_seal()
    live.segment_of(1)
    (tmp_path / "seal-request").write_text(request, encoding="utf-8")

    after_crash = reopened(tmp_path)

    assert [after_crash.segment_of(batch_id).number for batch_id in (1, 2, 3)] == [2, 2, 2]
    assert len(after_crash.sealed()) == 1
    assert after_crash.seal_request() is None


def test_a_crash_before_the_ledger_is_written_leaves_the_request_waiting(live: LiveSegments, tmp_path: Path) -> None:
    live.segment_of(0)
    live.request_seal()

    assert reopened(tmp_path).segment_of(1).number == 2


def test_an_empty_segment_is_not_sealed(live: LiveSegments) -> None:
    live.request_seal()

    assert live.segment_of(0).number == 1
    assert live.sealed() == []
    assert live.segment_of(1).number == 2


def test_asking_twice_is_one_request(live: LiveSegments) -> None:
    assert live.request_seal() == live.request_seal()


def test_an_idle_stream_seals_after_its_last_committed_micro_batch(live: LiveSegments) -> None:
    for batch_id in range(4):
        live.segment_of(batch_id)
    live.request_seal()
    live.seal_when_idle()

    [sealed] = live.sealed()
    assert (sealed.last_batch, sealed.end_offsets) == (3, {"purchases": {0: 40}, "user-events": {0: 400, 1: 400}})
    assert live.segment_of(4).number == 2


def test_a_micro_batch_in_flight_is_not_sealed_behind_its_back(live: LiveSegments, checkpoint: Checkpoint) -> None:
    checkpoint.plan(4, purchases=50, users=500)
    live.segment_of(4)
    live.request_seal()
    live.seal_when_idle()

    assert live.sealed() == []


def test_a_ledger_of_another_query_is_refused(live: LiveSegments, checkpoint: Checkpoint, tmp_path: Path) -> None:
    live.segment_of(0)
    checkpoint.name_query("query-2")

    with pytest.raises(LedgerError, match="belongs to query query-1"):
        reopened(tmp_path).segment_of(0)


def test_a_segment_is_handed_over_by_one_run(live: LiveSegments, tmp_path: Path) -> None:
    live.segment_of(0)
    live.request_seal()
    live.segment_of(1)
    ledger = SegmentLedger(tmp_path / "ledger.json")

    ledger.mark_handed_over(1, "run-a")
    ledger.mark_handed_over(1, "run-a")

    assert ledger.sealed() == []
    with pytest.raises(LedgerError, match="handed over by run run-a"):
        ledger.mark_handed_over(1, "run-b")
    with pytest.raises(LedgerError, match="segment 2 is not sealed"):
        ledger.mark_handed_over(2, "run-b")


def _hand_over(path: Path, numbers: list[int]) -> None:
    for number in numbers:
        SegmentLedger(path).mark_handed_over(number, "run")


def test_driver_and_batch_run_write_at_the_same_time_without_losing_a_change(
    live: LiveSegments, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    for batch_id in range(40):
        checkpoint.plan(batch_id, purchases=batch_id, users=batch_id)
        live.request_seal()
        live.segment_of(batch_id)
    sealed = [segment.number for segment in live.sealed()]
    batch_run = multiprocessing.get_context("spawn").Process(target=_hand_over, args=(tmp_path / "ledger.json", sealed))
    batch_run.start()
    for batch_id in range(40, 80):
        checkpoint.plan(batch_id, purchases=batch_id, users=batch_id)
        live.request_seal()
        live.segment_of(batch_id)
    batch_run.join(30)

    segments: list[Segment] = live.segments()
    assert batch_run.exitcode == 0
    assert [segment.number for segment in segments] == list(range(1, 81))
    assert [segment.number for segment in segments if segment.handed_over_by] == sealed


def test_an_offset_log_that_cannot_be_read_is_named(tmp_path: Path, checkpoint: Checkpoint) -> None:
    with pytest.raises(LedgerError, match="offsets of micro-batch 9 are not there"):
        end_offsets_of(checkpoint.path, 9)
    (checkpoint.path / "offsets" / "9").write_text("v7\n{}\n{}", encoding="utf-8")
    with pytest.raises(LedgerError, match="version 'v7'"):
        end_offsets_of(checkpoint.path, 9)


def test_the_checkpoint_names_its_query(checkpoint: Checkpoint) -> None:
    assert query_id_of(checkpoint.path) == "query-1"
    with pytest.raises(ConfigurationError, match="does not name a query"):
        query_id_of(checkpoint.path / "offsets")
