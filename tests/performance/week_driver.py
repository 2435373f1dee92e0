"""The Spark driver of the bench of a week: files arrive, batch runs follow, each day is compacted when it is over.

spark-submit tests/performance/week_driver.py EVENTS_PER_HOUR FILES_PER_HOUR DAYS RESULT
"""

import json
import logging
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from pyspark.sql import SparkSession

from include.config import Settings, load_settings
from include.names import Table
from spark_jobs.batch import compact, process
from spark_jobs.io import read, table_exists
from spark_jobs.session import build_session
from tests.performance.batch_driver import archive

_HOURS_BETWEEN_RUNS: Final = 6
_SMALL_BYTES: Final = 1024 * 1024


def files_of(spark: SparkSession, settings: Settings) -> dict[str, dict[str, float]]:
    """Of each table: its files, how many of them are small, and the most in one day."""
    return {table.value: _files(spark, settings, table) for table in Table if table_exists(spark, table, settings)}


def _files(spark: SparkSession, settings: Settings, table: Table) -> dict[str, float]:
    names = [Path(unquote(urlsplit(name).path)) for name in read(spark, table, settings).inputFiles()]
    sizes = [name.stat().st_size for name in names]
    days: dict[str, int] = {}
    for name in names:
        days[name.parent.name] = days.get(name.parent.name, 0) + 1
    return {
        "files": len(names),
        "small": sum(size < _SMALL_BYTES for size in sizes),
        "most_in_a_day": max(days.values(), default=0),
        "mib": round(sum(sizes) / 2**20, 1),
    }


def live(spark: SparkSession, settings: Settings, hourly: int, files: int, days: int) -> list[dict[str, Any]]:
    """Each simulated day: what its runs took, and the files before and after compaction."""
    done = []
    for day in range(days):
        runs = []
        for hour in range(day * 24, (day + 1) * 24):
            archive(spark, settings, hour * hourly, (hour + 1) * hourly, hourly / 3600, files)
            if (hour + 1) % _HOURS_BETWEEN_RUNS == 0:
                begun = time.monotonic()
                process.run(spark, settings)
                runs.append(round(time.monotonic() - begun, 1))
        before = files_of(spark, settings)
        compacted = compact.run(spark, settings, list(Table))
        done.append(
            {
                "day": day + 1,
                "run_seconds": runs,
                "before": before,
                "after": files_of(spark, settings),
                "compaction": [asdict(table) for table in compacted],
            }
        )
        logging.getLogger(__name__).info("day %s: %s", day + 1, json.dumps(done[-1]))
    return done


def main(hourly: int, files: int, days: int, result: Path) -> None:
    """Run as a Spark job."""
    spark = build_session("bench-week", "batch")
    try:
        figures = live(spark, load_settings(), hourly, files, days)
    finally:
        spark.stop()
    result.write_text(json.dumps({"days": figures}), encoding="utf-8")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
