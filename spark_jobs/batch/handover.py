"""The batch side of a handover: what the days that sealed segments touched add up to, before their end offsets.

    spark-submit --properties-file spark_jobs/conf/batch.conf spark_jobs/batch/handover.py <folder of the run>

Reads ``run.json`` of the folder (``include.handover.runs``), waits until bronze has archived what lies before the end
offsets, brings silver up to date, and writes beside it:

- ``cells/hour=<hour>``: what the segments should add up to, by window, dimension, value and currency, with what may
  explain a difference; one JSON per line.
- ``documents/day=<day>``: the documents that will stand for each touched day, as body of a bulk request.
- ``result.json``, last: days, counts and totals. A folder without it is computed anew.

``gold.metrics_10s`` holds the same rows as the documents; ``gold.late_windows`` lists, by run, the hours for which
something came late.
"""

import argparse
import json
import logging
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from include.config import Settings, get_settings
from include.handover.cells import MEASURES, Kind
from include.handover.checkpoint import Offsets
from include.handover.runs import HandoverRun, load_run
from include.handover.segments import write_atomically
from include.names import Table
from spark_jobs.batch import silver as silver_job
from spark_jobs.batch.archived import wait_archived
from spark_jobs.batch.days import in_days
from spark_jobs.batch.families import duplicate_events, silver_events
from spark_jobs.batch.gold import replace_days
from spark_jobs.batch.metric_documents import WINDOW_SECONDS, documents, totals, write_lines
from spark_jobs.batch.vectors import within
from spark_jobs.batch.view import change, events_before, touched_days
from spark_jobs.io import read, write
from spark_jobs.session import build_session
from spark_jobs.transforms.late import late_windows
from spark_jobs.transforms.metrics import additive_metrics

logger = logging.getLogger(__name__)


def _with_minor_units(metrics: DataFrame) -> DataFrame:
    minor = [(F.col(name) * 100).cast("long").alias(f"{name}_minor") for name in ("revenue", "refunded")]
    counts = [name for name in MEASURES if not name.endswith("_minor")]
    rows = metrics.select("window_start", "dimension", "value", "currency", *counts, *minor)
    return rows.select("window_start", "dimension", "value", "currency", *MEASURES)


def _metrics(events: DataFrame) -> DataFrame:
    return _with_minor_units(additive_metrics(events, WINDOW_SECONDS))


def cells(changed: dict[Kind, DataFrame]) -> DataFrame:
    """What the segments should add up to and what may explain a difference.

    Returns:
        ``line``, JSON, and ``hour``, what it is written by; ``kind``, ``window_start``, ``dimension`` and ``events`` to
        count by.
    """
    rows = [_metrics(events).withColumn("kind", F.lit(kind.value)) for kind, events in changed.items()]
    union = reduce(DataFrame.unionByName, rows)
    line = F.struct(
        F.col("window_start").cast("long").alias("window"),
        "dimension",
        "value",
        "currency",
        "kind",
        F.array(*MEASURES).alias("sums"),
    )
    hour = F.date_format("window_start", "yyyy-MM-dd'T'HH").alias("hour")
    return union.select(F.to_json(line).alias("line"), hour, "kind", "window_start", "dimension", "events")


def _stamps(events: DataFrame) -> DataFrame:
    start = f"timestamp_seconds(floor(unix_seconds(event_time) / {WINDOW_SECONDS}) * {WINDOW_SECONDS})"
    return events.groupBy(F.expr(start).alias("window_start")).agg(
        F.max("event_time").alias("event_time_max"),
        F.min("kafka_time").alias("kafka_time_min"),
        F.max("kafka_time").alias("kafka_time_max"),
    )


def _write_days(
    spark: SparkSession, settings: Settings, run: HandoverRun, folder: Path, now: DataFrame, days: list[str]
) -> dict[str, dict[str, int]]:
    events = now.where(in_days(days))
    rows = (
        _metrics(events)
        .join(F.broadcast(_stamps(events)), "window_start")
        .select(
            "window_start",
            "dimension",
            "value",
            "currency",
            *MEASURES,
            "event_time_max",
            "kafka_time_min",
            "kafka_time_max",
            F.to_date("window_start").alias("event_date"),
            F.lit(run.run_id).alias("run_id"),
        )
    )
    replace_days(rows, Table.GOLD_METRICS_10S, settings, days)
    written = read(spark, Table.GOLD_METRICS_10S, settings).where(in_days(days))
    write_lines(documents(written, datetime.now(UTC)), folder / "documents", "day")
    return totals(written)


def recompute(spark: SparkSession, settings: Settings, folder: Path) -> dict[str, Any]:
    """Do the job for the run in a folder; returns what ``result.json`` holds."""
    run = load_run(folder)
    start, end = run.start_offsets, run.end_offsets
    for name in ("cells", "documents"):
        shutil.rmtree(folder / name, ignore_errors=True)
    wait_archived(spark, settings, start, end)
    report = silver_job.run(spark, settings)
    events = silver_events(spark, settings)
    result: dict[str, Any] = {"bronze_version": report.bronze_version, "days": {}, "causes": {}}
    if events is not None:
        copies = duplicate_events(spark, settings)
        duplicates = events.limit(0) if copies is None else copies.select(*events.columns)
        days = touched_days(events, duplicates, start, end)
        events = events.where(in_days(days))
        # Few rows, used often: computed once.
        duplicates = duplicates.where(in_days(days)).localCheckpoint()
        changed = change(events, duplicates, start, end, settings.dedup_window_seconds)
        sums = cells(changed).persist(StorageLevel.DISK_ONLY)
        write_lines(sums.select("line", "hour"), folder / "cells", "hour")
        tally = _tally(sums)
        sums.unpersist()
        result["late"] = _write_late(spark, settings, run, changed[Kind.GAINED])
        result["causes"] = _causes(spark, settings, tally, start, end)
        days = sorted({*tally.get(Kind.GAINED, {}), *tally.get(Kind.LOST, {})})
        if days:
            now = events_before(events, duplicates, end)
            result["days"] = _write_days(spark, settings, run, folder, now, days)
    write_atomically(folder / "result.json", json.dumps(result))
    logger.info("handover run=%s result=%s", run.run_id, json.dumps(result))
    return result


def _write_late(spark: SparkSession, settings: Settings, run: HandoverRun, gained: DataFrame) -> dict[str, int]:
    """Note the hours for which something came late, once for each run; returns the late events by day (ISO)."""
    rows = late_windows(gained).select(F.lit(run.run_id).alias("run_id"), "*").coalesce(1)
    mine = f"run_id = '{run.run_id}'"
    write(rows, Table.GOLD_LATE_WINDOWS, settings, mode="overwrite", options={"replaceWhere": mine})
    noted = read(spark, Table.GOLD_LATE_WINDOWS, settings).where(mine)
    found = noted.groupBy("event_date").agg(F.sum("events").alias("late")).collect()
    return {row["event_date"].isoformat(): int(row["late"]) for row in found}


def _tally(sums: DataFrame) -> dict[Kind, dict[str, int]]:
    """How many events of each kind there are, by day (ISO)."""
    found: dict[Kind, dict[str, int]] = {}
    counted = sums.where("dimension = 'all'").groupBy("kind", F.to_date("window_start").alias("day"))
    for row in counted.agg(F.sum("events").alias("events")).collect():
        found.setdefault(Kind(row["kind"]), {})[row["day"].isoformat()] = int(row["events"])
    return found


def _causes(
    spark: SparkSession, settings: Settings, tally: dict[Kind, dict[str, int]], start: Offsets, end: Offsets
) -> dict[str, int]:
    found = {kind.value: sum(tally.get(kind, {}).values()) for kind in Kind}
    archived = read(spark, Table.BRONZE_EVENTS, settings).where(within(start, end)).count()
    expected = sum(
        max(0, last - start.get(topic, {}).get(partition, 0))
        for topic, partitions in end.items()
        for partition, last in partitions.items()
    )
    return {**found, "records": int(archived), "records_missing": expected - int(archived)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run as a Spark job."""
    parser = argparse.ArgumentParser(description="Recompute the days that sealed segments touched.")
    parser.add_argument("folder", type=Path, help="folder of the run, with run.json")
    options = parser.parse_args(arguments)
    spark = build_session("handover", "batch")
    try:
        recompute(spark, get_settings(), options.folder)
    finally:
        spark.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main()
