"""Keep Delta tables fast: join small files, drop what is past its retention, delete files that no version needs.

    spark-submit --properties-file spark_jobs/conf/batch.conf spark_jobs/batch/compact.py [table ...] [--report FILE]

Rows do not change. Streams go on meanwhile: joining files conflicts with no append, and what conflicts with another
writer is tried again.
"""

import argparse
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from delta.exceptions import DeltaConcurrentModificationException
from delta.tables import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from include.config import Settings, get_settings
from include.handover.segments import write_atomically
from include.names import SILVER_BY_TOPIC, Table
from spark_jobs.batch import gold
from spark_jobs.batch.days import in_days_sql
from spark_jobs.batch.families import days_since
from spark_jobs.batch.progress import done_version
from spark_jobs.batch.retire import names_people, retire
from spark_jobs.io import read, table_exists
from spark_jobs.session import build_session

logger = logging.getLogger(__name__)

_ATTEMPTS: Final = 5
_PAUSE_SECONDS: Final = 2.0
_RECOMPUTED: Final = frozenset(SILVER_BY_TOPIC.values())
_VACUUM: Final = {
    # Delta refuses to delete files younger than a week unless it is told that this is meant.
    "spark.databricks.delta.retentionDurationCheck.enabled": "false",
    # Delta lists files in as many tasks as this says, however few there are; by default ten thousand.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "16",
}


@dataclass(frozen=True)
class Size:
    """Files of a table's newest version.

    Attributes:
        files: How many.
        bytes: How large together.
    """

    files: int
    bytes: int


@dataclass(frozen=True)
class Compacted:
    """What became of one table.

    Attributes:
        table: Its name.
        before: Its files before.
        after: Its files after.
        kept_days: How many days it keeps; None for all.
        read_seconds_before: Time of counting all rows by their partition before.
        read_seconds_after: The same after.
        seconds: Duration of the whole work.
    """

    table: str
    before: Size
    after: Size
    kept_days: int | None
    read_seconds_before: float
    read_seconds_after: float
    seconds: float


def _size(table: DeltaTable) -> Size:
    row = table.detail().select("numFiles", "sizeInBytes").first()
    return Size(int(row["numFiles"]), int(row["sizeInBytes"]))


def _again(action: Callable[[], object]) -> None:
    """Do what another writer may get in the way of, and again when it did."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            action()
            return
        except DeltaConcurrentModificationException as error:
            if attempt == _ATTEMPTS:
                raise
            logger.warning("conflict with another writer, attempt=%s error=%s", attempt, type(error).__name__)
            time.sleep(_PAUSE_SECONDS * attempt)


def _read_seconds(spark: SparkSession, table: Table, settings: Settings, key: str | None) -> float:
    started = time.monotonic()
    rows = read(spark, table, settings)
    (rows.groupBy(key) if key else rows.groupBy()).agg(F.count(F.lit(1))).collect()
    return round(time.monotonic() - started, 2)


def _keep_days(table: Table, settings: Settings) -> int:
    """How many days a table keeps its rows; 0 for all."""
    if not table.value.startswith("bronze."):
        return 0
    limits = (settings.bronze_keep_days, settings.personal_keep_days)
    return min((days for days in limits if days), default=0)


def _keep(
    spark: SparkSession, settings: Settings, table: Table, delta: DeltaTable, columns: list[str], key: str | None
) -> int | None:
    """Delete the rows that are too old, and in others replace who it was; returns the days that rows are kept."""
    keep_days = _keep_days(table, settings)
    today = datetime.now(UTC).date()
    if keep_days and key:
        first_kept = today - timedelta(days=keep_days)
        _again(lambda: delta.delete(f"{key} < DATE'{first_kept.isoformat()}'"))
    if names_people(settings, columns):
        first_named = today - timedelta(days=settings.personal_keep_days)
        _again(lambda: retire(spark, settings, table, columns, first_named))
    return keep_days or None


def _join_files(spark: SparkSession, settings: Settings, table: Table, delta: DeltaTable, key: str | None) -> None:
    """Join small files; of tables by day those of the days that are over and that no recompute is about to replace."""
    found = delta.optimize()
    details = delta.detail().select("partitionColumns").first()
    if key and details and list(details["partitionColumns"]) == [key]:
        over = f"{key} < DATE'{datetime.now(UTC).date().isoformat()}'"
        waiting = days_since(spark, settings, done_version(spark, settings, gold.JOB)) if table in _RECOMPUTED else []
        found = found.where(f"{over} AND NOT {in_days_sql(waiting)}" if waiting else over)
    found.executeCompaction()


def compact(spark: SparkSession, settings: Settings, table: Table) -> Compacted:
    """Compact one table that exists.

    Args:
        spark: The session.
        settings: Says where the lake is, and how long rows and old files are kept.
        table: Which.
    """
    started = time.monotonic()
    delta = DeltaTable.forPath(spark, settings.table_path(table))
    columns = read(spark, table, settings).columns
    key = next((name for name in ("arrival_date", "event_date") if name in columns), None)
    before, slow = _size(delta), _read_seconds(spark, table, settings, key)
    kept_days = _keep(spark, settings, table, delta, columns, key)
    _again(lambda: _join_files(spark, settings, table, delta, key))
    for name, value in _VACUUM.items():
        spark.conf.set(name, value)
    _again(lambda: delta.vacuum(settings.delta_history_hours))
    return Compacted(
        table=table.value,
        before=before,
        after=_size(delta),
        kept_days=kept_days,
        read_seconds_before=slow,
        read_seconds_after=_read_seconds(spark, table, settings, key),
        seconds=round(time.monotonic() - started, 1),
    )


def run(spark: SparkSession, settings: Settings, tables: Sequence[Table]) -> list[Compacted]:
    """Compact those of the tables that exist, one after the other."""
    done = []
    for table in tables:
        if table_exists(spark, table, settings):
            done.append(compact(spark, settings, table))
            logger.info("compacted %s", json.dumps(asdict(done[-1])))
    return done


def main(arguments: Sequence[str] | None = None) -> None:
    """Run as a Spark job."""
    parser = argparse.ArgumentParser(description="Join small files and delete old ones.")
    parser.add_argument("tables", nargs="*", type=Table, default=list(Table), help="as silver.purchases; default: all")
    parser.add_argument("--report", type=Path, help="file for what was done, as JSON")
    options = parser.parse_args(arguments)
    spark = build_session("compact", "batch")
    try:
        report = [asdict(table) for table in run(spark, get_settings(), options.tables)]
    finally:
        spark.stop()
    if options.report:
        write_atomically(options.report, json.dumps(report))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main()
