"""The Spark driver of the quality bench: judges one large day of records, and runs a suite on what is valid.

spark-submit tests/performance/quality_driver.py EVENTS RESULT
"""

import json
import logging
import os
import statistics
import sys
from pathlib import Path
from typing import Any, Final

import psutil
from pyspark.sql import DataFrame, SparkSession

from include.config import Settings, load_settings
from include.names import Table
from spark_jobs.batch import silver
from spark_jobs.batch.validate import validate
from spark_jobs.io import read
from spark_jobs.session import build_session
from spark_jobs.transforms.parse import parse_events, valid_events
from tests.performance.batch_driver import archive

_RUNS: Final = 4
# The cost of an event does not depend on how many there are.
_JUDGED: Final = 1_000_000
# All records of the bench arrive within this time, of one day.
_SECONDS: Final = 6000
_EVERY_ROW: Final = 10**9
_USUAL_ROWS: Final = 2_000_000


def _cpu_seconds(rows: DataFrame) -> float:
    """Processor time of the whole JVM, which started this process, while it makes rows and throws them away."""
    jvm = psutil.Process(os.getppid())
    before = jvm.cpu_times()
    rows.write.format("noop").mode("overwrite").save()
    after = jvm.cpu_times()
    return after.user + after.system - before.user - before.system


def judging(spark: SparkSession, settings: Settings, events: int) -> dict[str, Any]:
    """Microseconds of processor time that judging and reading an event takes beyond reading its record."""
    records = read(spark, Table.BRONZE_EVENTS, settings)
    found = []
    # The first one compiles.
    for _ in range(1 + _RUNS):
        plain = _cpu_seconds(records)
        judged = _cpu_seconds(valid_events(parse_events(records)))
        found.append(round((judged - plain) / events * 1e6, 2))
    return {"runs": found[1:], "median": statistics.median(found[1:])}


def suite(spark: SparkSession, settings: Settings, max_rows: int) -> dict[str, Any]:
    """The suite of user events on the newest day."""
    verdict = validate(spark, settings, Table.SILVER_USER_EVENTS, days=1, max_rows=max_rows)
    return {
        "day": verdict.days[0],
        "rows": verdict.rows,
        "checked": "a sample" if verdict.sampled else "all",
        "expectations": verdict.expectations,
        "failures": len(verdict.failures),
        "failed": [failure.expectation for failure in verdict.failures],
        "seconds": verdict.seconds,
    }


def main(events: int, result: Path) -> None:
    """Run as a Spark job."""
    spark, settings = build_session("bench-quality", "batch"), load_settings()
    try:
        rate, judged = max(1, events // _SECONDS), min(events, _JUDGED)
        archive(spark, settings, 0, judged, rate)
        cost = judging(spark, settings, judged)
        if judged < events:
            archive(spark, settings, judged, events, rate)
        silver.run(spark, settings)
        suites = {
            "every row": suite(spark, settings, _EVERY_ROW),
            "as the DAG does it": suite(spark, settings, _USUAL_ROWS),
        }
    finally:
        spark.stop()
    result.write_text(json.dumps({"judge_micros": cost, "suites": suites}), encoding="utf-8")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main(int(sys.argv[1]), Path(sys.argv[2]))
