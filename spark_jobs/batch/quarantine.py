"""Move rows of a silver table that break a critical promise to ``silver.quarantine``, and back when they keep it.

    spark-submit --properties-file spark_jobs/conf/batch.conf spark_jobs/batch/quarantine.py TABLE [--release]

Gold of the days concerned is computed again. Rows are written before they are deleted, and never twice: a run that was
killed is finished by the next.
"""

import argparse
import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import reduce
from pathlib import Path
from typing import Final

from delta.tables import DeltaTable
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from include.config import Settings, get_settings
from include.handover.segments import write_atomically
from include.names import SILVER_BY_TOPIC, Table
from include.quality.rows import faults
from include.quality.suite import Suite, load_suite
from spark_jobs.alone import alone
from spark_jobs.batch import gold, silver
from spark_jobs.batch.copies import COORDINATES
from spark_jobs.batch.days import in_days, in_days_sql
from spark_jobs.batch.families import widened
from spark_jobs.io import read, table_exists, write
from spark_jobs.session import build_session

logger = logging.getLogger(__name__)

_WIDEN: Final = {"mergeSchema": "true"}


@dataclass
class Moved:
    """What was moved.

    Attributes:
        table: From or to this table.
        rows: How many rows.
        days: Of which days (ISO).
        reasons: How many rows broke which expectation.
    """

    table: str
    rows: int = 0
    days: list[str] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)


def judged(rows: DataFrame, suite: Suite) -> DataFrame:
    """Rows with ``broken``: the expectations that each breaks; an empty array for those that are right."""
    derived = {**suite.structure_columns, **suite.columns}
    wide = reduce(lambda frame, one: frame.selectExpr("*", f"({one[1]}) AS `{one[0]}`"), derived.items(), rows)
    names = [F.when(F.expr(sql), F.lit(name)) for name, sql in faults(suite).items()]
    broken = F.array_compact(F.array(*names)) if names else F.array().cast("array<string>")
    return wide.withColumn("broken", broken).select(*rows.columns, "broken")


def quarantine(spark: SparkSession, settings: Settings, table: Table, days: Sequence[str] = ()) -> Moved:
    """Move what is broken out of a silver table.

    Args:
        spark: The session.
        settings: Says where the lake is.
        table: A silver table of events.
        days: Only these days; all by default.
    """
    moved = Moved(table.value)
    with alone(settings, silver.JOB):
        rows = read(spark, table, settings)
        wrong = judged(rows.where(in_days(days)) if days else rows, load_suite(table)).where("size(broken) > 0")
        wrong = wrong.persist(StorageLevel.DISK_ONLY)
        _count(wrong, moved)
        if moved.rows:
            kept = widened(wrong.drop("broken")).withColumn("table_name", F.lit(table.value))
            reasons = wrong.select(*COORDINATES, "broken", F.current_timestamp().alias("quarantined_at"))
            _append(spark, settings, kept.join(reasons, [*COORDINATES]))
            _delete(spark, settings, table, wrong, moved.days)
        wrong.unpersist()
    _recompute(spark, settings, moved)
    return moved


def release(spark: SparkSession, settings: Settings, table: Table) -> Moved:
    """Move back what keeps its promises by now: the suite was wrong, or has become milder."""
    moved = Moved(table.value)
    if not table_exists(spark, Table.SILVER_QUARANTINE, settings):
        return moved
    with alone(settings, silver.JOB):
        held = read(spark, Table.SILVER_QUARANTINE, settings).where(F.col("table_name") == table.value)
        columns = read(spark, table, settings).columns
        right = judged(held.select(*columns), load_suite(table)).where("size(broken) = 0").drop("broken")
        right = right.persist(StorageLevel.DISK_ONLY)
        _count(right.withColumn("broken", F.array().cast("array<string>")), moved)
        if moved.rows:
            there = read(spark, table, settings).where(in_days(moved.days)).select(*COORDINATES)
            write(right.join(there, [*COORDINATES], "left_anti"), table, settings)
            _delete(spark, settings, Table.SILVER_QUARANTINE, right, moved.days)
        right.unpersist()
    _recompute(spark, settings, moved)
    return moved


def _count(rows: DataFrame, moved: Moved) -> None:
    reasons: Counter[str] = Counter()
    days: Counter[str] = Counter()
    for row in rows.groupBy("event_date", "broken").count().collect():
        days[row["event_date"].isoformat()] += row["count"]
        for reason in row["broken"]:
            reasons[reason] += row["count"]
    moved.rows, moved.days, moved.reasons = sum(days.values()), sorted(days), dict(sorted(reasons.items()))


def _append(spark: SparkSession, settings: Settings, rows: DataFrame) -> None:
    if table_exists(spark, Table.SILVER_QUARANTINE, settings):
        there = read(spark, Table.SILVER_QUARANTINE, settings).select(*COORDINATES)
        rows = rows.join(there, [*COORDINATES], "left_anti")
    write(rows, Table.SILVER_QUARANTINE, settings, partition_by=["event_date"], options=_WIDEN)


def _delete(spark: SparkSession, settings: Settings, table: Table, rows: DataFrame, days: Sequence[str]) -> None:
    gone = rows.select(*COORDINATES, "event_date").alias("gone")
    same = " AND ".join(f"held.{name} = gone.{name}" for name in (*COORDINATES, "event_date"))
    held = DeltaTable.forPath(spark, settings.table_path(table)).alias("held")
    held.merge(F.broadcast(gone), f"held.{in_days_sql(days)} AND {same}").whenMatchedDelete().execute()


def _recompute(spark: SparkSession, settings: Settings, moved: Moved) -> None:
    if moved.rows:
        gold.run(spark, settings, moved.days)
    logger.info("quarantine %s", json.dumps(asdict(moved)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run as a Spark job."""
    parser = argparse.ArgumentParser(description="Move rows that break a critical promise out of a silver table.")
    parser.add_argument("table", type=Table, choices=list(SILVER_BY_TOPIC.values()), help="as silver.purchases")
    parser.add_argument("--release", action="store_true", help="move back what keeps its promises by now")
    parser.add_argument("--report", type=Path, help="file for what was moved, as JSON")
    options = parser.parse_args(arguments)
    settings = get_settings()
    spark = build_session("quarantine", "batch")
    try:
        moved = (release if options.release else quarantine)(spark, settings, options.table)
    finally:
        spark.stop()
    if options.report:
        write_atomically(options.report, json.dumps(asdict(moved)))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main()
