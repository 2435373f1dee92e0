import shutil
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from include.config import Settings
from include.names import Table
from spark_jobs.batch import compact, silver
from spark_jobs.io import read
from tests.spark.bronze_rows import Record, archive, lake_in, order, visit

DAY = 86_400


def rows(spark: SparkSession, settings: Settings, table: Table) -> list[dict[str, Any]]:
    """All rows, but for the run that wrote them."""
    found = [row.asDict(recursive=True) for row in read(spark, table, settings).drop("bronze_version").collect()]
    return sorted(found, key=lambda row: (row["event_id"], row["event_date"], row["offset"]))


def ids(spark: SparkSession, settings: Settings, table: Table) -> list[str]:
    return [f"{row['event_id'].rstrip('_')}@{row['offset']}" for row in rows(spark, settings, table)]


def test_every_event_is_in_silver_once_and_copies_are_kept_beside_it(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    first = order("a", 0)
    archive(spark, lake, [first, first.again(1, at=5), order("b", 2), visit("c", 0)])
    report = silver.run(spark, lake)
    assert ids(spark, lake, Table.SILVER_PURCHASES) == ["a@0", "b@2"]
    assert ids(spark, lake, Table.SILVER_USER_EVENTS) == ["c@0"]
    assert ids(spark, lake, Table.SILVER_DUPLICATES) == ["a@1"]
    assert (report.rows_read, report.refused, report.written, report.duplicates) == (
        4,
        0,
        {"2026-03-10": 3},
        {"2026-03-10": 1},
    )


def test_what_breaks_its_contract_is_counted_and_left_out(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    archive(spark, lake, [order("a", 0), order("b", 1, currency="euro"), order("c", 2, total="1.5")])
    report = silver.run(spark, lake)
    assert (ids(spark, lake, Table.SILVER_PURCHASES), report.refused) == (["a@0"], 2)


def test_a_late_event_lands_in_its_own_day(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    archive(spark, lake, [order("a", 0, happened=-3 * DAY)])
    assert silver.run(spark, lake).written == {"2026-03-07": 1}


def test_a_run_reads_only_what_arrived_since_the_last_and_again_changes_nothing(
    spark: SparkSession, tmp_path: Path
) -> None:
    lake = lake_in(tmp_path)
    archive(spark, lake, [order("a", 0)])
    silver.run(spark, lake)
    archive(spark, lake, [order("b", 1), order("a", 2, at=5)])
    assert silver.run(spark, lake).rows_read == 2
    assert silver.run(spark, lake).rows_read == 0
    assert ids(spark, lake, Table.SILVER_PURCHASES) == ["a@0", "b@1"]
    assert ids(spark, lake, Table.SILVER_DUPLICATES) == ["a@2"]


def test_compacted_bronze_is_not_read_again(spark: SparkSession, tmp_path: Path) -> None:
    from delta.tables import DeltaTable

    lake = lake_in(tmp_path)
    for number in range(3):
        archive(spark, lake, [order(f"e{number}", number)])
    silver.run(spark, lake)
    DeltaTable.forPath(spark, lake.table_path(Table.BRONZE_EVENTS)).optimize().executeCompaction()
    archive(spark, lake, [order("e3", 3)])
    assert silver.run(spark, lake).rows_read == 1


def test_where_the_log_is_gone_all_rows_are_read_and_nothing_changes(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    archive(spark, lake, [order("a", 0)])
    silver.run(spark, lake)
    archive(spark, lake, [order("b", 1)])
    archive(spark, lake, [order("c", 2)])
    compact.run(spark, lake.model_copy(update={"delta_history_hours": 0}), [Table.BRONZE_EVENTS])
    report = silver.run(spark, lake)
    assert (report.rows_read, report.written) == (3, {"2026-03-10": 2})
    assert ids(spark, lake, Table.SILVER_PURCHASES) == ["a@0", "b@1", "c@2"]
    assert not Path(lake.table_path(Table.SILVER_DUPLICATES)).exists()


def test_an_earlier_copy_that_arrives_later_takes_the_place(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    late = order("a", 7, at=60, partition=1)
    archive(spark, lake, [late])
    silver.run(spark, lake)
    archive(spark, lake, [late.again(3, at=1, partition=0)])
    assert silver.run(spark, lake).replaced == 1
    assert ids(spark, lake, Table.SILVER_PURCHASES) == ["a@3"]
    assert ids(spark, lake, Table.SILVER_DUPLICATES) == ["a@7"]


def test_an_id_used_for_two_days_names_two_events_and_is_counted(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    archive(spark, lake, [order("a", 0), order("a", 1, happened=-DAY)])
    report = silver.run(spark, lake)
    assert (ids(spark, lake, Table.SILVER_PURCHASES), report.reused_ids) == (["a@1", "a@0"], 1)


RECORDS = [
    order("a", 0),
    visit("v", 0),
    order("a", 1, at=30),
    order("b", 2, "20.00", at=40, happened=-DAY),
    order("b", 5, "20.00", at=10, happened=-DAY, partition=1),
    order("bad", 3, total="x"),
    order("c", 6, "5.00", at=11, partition=1),
    order("a", 7, at=12, partition=1),
]
TABLES = (Table.SILVER_PURCHASES, Table.SILVER_USER_EVENTS, Table.SILVER_DUPLICATES)


@pytest.mark.parametrize(
    ("records", "split"),
    [(RECORDS, [8]), (RECORDS, [3, 1, 4]), (RECORDS[::-1], [2, 3, 3])],
    ids=["in one run", "in three runs", "reversed, in three runs"],
)
def test_runs_of_any_size_and_order_and_a_full_rebuild_give_the_same_rows(
    spark: SparkSession, tmp_path: Path, records: list[Record], split: list[int]
) -> None:
    lake = lake_in(tmp_path)
    for end, size in zip(accumulate(split), split, strict=True):
        archive(spark, lake, records[end - size : end])
        silver.run(spark, lake)
    step_by_step = {table: rows(spark, lake, table) for table in TABLES}
    silver.run(spark, lake, full=True)
    assert {table: rows(spark, lake, table) for table in TABLES} == step_by_step
    assert ids(spark, lake, Table.SILVER_PURCHASES) == ["a@0", "b@5", "c@6"]
    assert ids(spark, lake, Table.SILVER_DUPLICATES) == ["a@1", "a@7", "b@2"]


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.fixture(scope="module")
def half_done(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of which the second half of the records waits in bronze: a copy each that is later, earlier and new."""
    folder = tmp_path_factory.mktemp("half")
    archive(spark, lake_in(folder), RECORDS[:4])
    silver.run(spark, lake_in(folder))
    archive(spark, lake_in(folder), RECORDS[4:])
    return folder


@pytest.mark.parametrize("killed_at", [1, 2, 3, 4], ids=["later copy", "earlier copy", "new event", "progress"])
def test_a_run_killed_before_any_of_its_writes_is_finished_by_the_next(
    spark: SparkSession, half_done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    lake = lake_in(Path(shutil.copytree(half_done, tmp_path / "lake")))
    writes = 0

    def until_killed(action: Callable[..., Any]) -> Callable[..., Any]:
        def write(*arguments: Any, **options: Any) -> None:
            nonlocal writes
            writes += 1
            if writes == killed_at:
                raise KilledError
            action(*arguments, **options)

        return write

    with monkeypatch.context() as patched:
        for name in ("write", "record"):
            patched.setattr(silver, name, until_killed(getattr(silver, name)))
        with pytest.raises(KilledError):
            silver.run(spark, lake)
    silver.run(spark, lake)
    assert ids(spark, lake, Table.SILVER_PURCHASES) == ["a@0", "b@5", "c@6"]
    assert ids(spark, lake, Table.SILVER_DUPLICATES) == ["a@1", "a@7", "b@2"]
