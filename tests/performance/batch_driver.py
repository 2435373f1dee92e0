"""The Spark driver of the batch bench: each job of the batch layer once on synthetic records, and plain Spark on them.

spark-submit tests/performance/batch_driver.py EVENTS RATE LIMIT_RUNS RESULT
"""

import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from include.config import Settings, load_settings
from include.handover.checkpoint import Offsets
from include.handover.runs import HandoverRun, RunStore
from include.names import RAW_TOPICS, Table
from spark_jobs.batch import compact, gold, handover, silver
from spark_jobs.io import read, write
from spark_jobs.schemas import conformed_columns
from spark_jobs.session import build_session
from tests.performance.synthetic import BROKEN_EVERY, COPY_EVERY, PARTITIONS, records

_ROWS_PER_FILE: Final = 20_000


def _timed(action: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.monotonic()
    result = action()
    return round(time.monotonic() - begun, 2), result


def archive(
    spark: SparkSession, settings: Settings, first: int, last: int, rate: float, files: int | None = None
) -> None:
    """Append records to bronze, by default in files as small as the stream's."""
    rows = records(spark, first, last, rate, files or max(1, (last - first) // _ROWS_PER_FILE))
    write(rows, Table.BRONZE_EVENTS, settings, partition_by=["arrival_date"])


def plain_spark(spark: SparkSession, settings: Settings) -> None:
    """The least that any batch layer on Spark does: Delta, JSON, each id once, sums by hour; nothing is written."""
    fields = ", ".join(f"{column.name} {column.spark_type}" for column in conformed_columns())
    rows = read(spark, Table.BRONZE_EVENTS, settings)
    events = rows.select("topic", F.from_json(F.col("value").cast("string"), fields).alias("event"))
    events = events.select("topic", "event.*").where("event_id IS NOT NULL").dropDuplicates(["event_id"])
    sums = events.groupBy(F.date_trunc("hour", "event_time"), "topic", "event_type", "country", "currency").agg(
        F.count(F.lit(1)), F.sum("total")
    )
    sums.write.format("noop").mode("overwrite").save()


def view(spark: SparkSession, settings: Settings, events: int) -> dict[str, Any]:
    """The batch side of a handover over everything."""
    end: Offsets = {topic.value: dict.fromkeys(range(PARTITIONS), 0) for topic in RAW_TOPICS}
    newest = read(spark, Table.BRONZE_EVENTS, settings).groupBy("topic", "partition").agg(F.max("offset").alias("last"))
    for row in newest.collect():
        end[row["topic"]][row["partition"]] = row["last"] + 1
    store = RunStore(settings)
    run = store.save(HandoverRun(run_id=f"{events:06d}", segments=(1,), start_offsets={}, end_offsets=end))
    return handover.recompute(spark, settings, store.folder(run))


def measure(spark: SparkSession, settings: Settings, events: int, rate: int, limit_runs: int) -> dict[str, Any]:
    """Seconds of each job, and whether each gave what the records hold."""
    seconds: dict[str, float] = {}
    half = events // 2 // BROKEN_EVERY * BROKEN_EVERY
    reports = []
    for name, first, last in (("silver_first_half", 0, half), ("silver_second_half", half, events)):
        archive(spark, settings, first, last, rate)
        seconds[name], report = _timed(lambda: silver.run(spark, settings))
        reports.append(report)
    seconds["silver"] = round(seconds["silver_first_half"] + seconds["silver_second_half"], 2)
    seconds["gold"], _ = _timed(lambda: gold.run(spark, settings))
    seconds["handover"], result = _timed(lambda: view(spark, settings, events))
    runs = [_timed(lambda: plain_spark(spark, settings))[0] for _ in range(limit_runs)]
    bronze_files = [unquote(urlsplit(name).path) for name in read(spark, Table.BRONZE_EVENTS, settings).inputFiles()]
    seconds["compact"], compacted = _timed(lambda: compact.compact(spark, settings, Table.BRONZE_EVENTS))
    found = {
        "refused": sum(report.refused for report in reports),
        "duplicates": sum(sum(report.duplicates.values()) for report in reports),
        "silver": sum(sum(report.written.values()) for report in reports),
        "handover": sum(day["events"] for day in result["days"].values()),
    }
    good = events - events // COPY_EVERY - events // BROKEN_EVERY
    expected = {
        "refused": events // BROKEN_EVERY,
        "duplicates": events // COPY_EVERY,
        "silver": good,
        "handover": good,
    }
    return {
        "seconds": seconds,
        "plain_spark_seconds": runs,
        "bronze": {"bytes": compacted.before.bytes, "files": compacted.before.files, "then": compacted.after.files},
        "bronze_files": bronze_files,
        "documents": sum(day["documents"] for day in result["days"].values()),
        "found": found,
        "expected": expected,
    }


def main(events: int, rate: int, limit_runs: int, result: Path) -> None:
    """Run as a Spark job."""
    spark = build_session("bench-batch", "batch")
    try:
        figures = measure(spark, load_settings(), events, rate, limit_runs)
    finally:
        spark.stop()
    result.write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
