"""The batch layer's whole run: bronze to silver to gold. ``python main.py process-batch`` submits it.

spark-submit --properties-file spark_jobs/conf/batch.conf spark_jobs/batch/process.py --days 7 --report report.json
"""

import argparse
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from include.config import Settings, get_settings
from include.handover.segments import write_atomically
from spark_jobs.batch import gold, silver
from spark_jobs.batch.days import add_arguments, chosen
from spark_jobs.session import build_session


def run(spark: SparkSession, settings: Settings, days: Sequence[str] = (), *, full: bool = False) -> dict[str, Any]:
    """Silver, then gold of the days that changed and of the days given; returns what each did."""
    started = time.monotonic()
    silver_report = silver.run(spark, settings, full=full)
    between = time.monotonic()
    gold_report = gold.run(spark, settings, days, full=full)
    return {
        "silver": {**asdict(silver_report), "seconds": round(between - started, 1)},
        "gold": {**asdict(gold_report), "seconds": round(time.monotonic() - between, 1)},
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run as a Spark job."""
    parser = argparse.ArgumentParser(description="Bronze to silver to gold.")
    add_arguments(parser)
    parser.add_argument("--full", action="store_true", help="build silver and gold anew from all of bronze")
    parser.add_argument("--report", type=Path, help="file for what was done, as JSON")
    options = parser.parse_args(arguments)
    days = chosen(options, parser)
    spark = build_session("process-batch", "batch")
    try:
        report = run(spark, get_settings(), days, full=options.full)
    finally:
        spark.stop()
    if options.report:
        write_atomically(options.report, json.dumps(report))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main()
