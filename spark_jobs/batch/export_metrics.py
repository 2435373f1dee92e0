"""Documents of the alias ``metrics`` from gold, as bulk bodies: what its days are loaded from when an index is lost.

    spark-submit --properties-file spark_jobs/conf/batch.conf spark_jobs/batch/export_metrics.py FOLDER [--days 7]

Writes ``FOLDER/documents/day=<day>/part-*.txt`` (a line for the action, one for the document) and, last,
``FOLDER/result.json``: for each day what its documents add up to, and the handover that computed it. Days whose rows
are not of the last handover that switched them are named under ``left_out``: one that was refused has left its rows in
gold, but readers still get those events from the speed layer; a table that was restored has too few.
"""

import argparse
import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from include.config import Settings, get_settings
from include.handover.runs import RunStore, Step
from include.handover.segments import write_atomically
from include.names import Table
from spark_jobs.batch.days import add_arguments, chosen, in_days
from spark_jobs.batch.metric_documents import documents, totals, write_lines
from spark_jobs.io import read, table_exists
from spark_jobs.session import build_session


def export(spark: SparkSession, settings: Settings, folder: Path, days: Sequence[str] = ()) -> dict[str, Any]:
    """Write the documents of all days that handovers have computed, or of those given; returns the result."""
    result: dict[str, Any] = {"days": {}, "runs": {}, "left_out": []}
    if table_exists(spark, Table.GOLD_METRICS_10S, settings):
        rows = read(spark, Table.GOLD_METRICS_10S, settings)
        rows = rows.where(in_days(days)) if days else rows
        computed_by = {
            row["event_date"].isoformat(): row["run_id"]
            for row in rows.groupBy("event_date").agg(F.max("run_id").alias("run_id")).collect()
        }
        done = [run for run in RunStore(settings).runs() if run.step is Step.DONE]
        shown = {day: run.run_id for run in done for day in run.days}
        result["runs"] = {day: run for day, run in sorted(computed_by.items()) if shown.get(day) == run}
        result["left_out"] = sorted(computed_by.keys() - result["runs"].keys())
        rows = rows.where(in_days(list(result["runs"])))
        write_lines(documents(rows, datetime.now(UTC)), folder / "documents", "day")
        result["days"] = totals(rows)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "result.json", json.dumps(result))
    return result


def main(arguments: Sequence[str] | None = None) -> None:
    """Run as a Spark job."""
    parser = argparse.ArgumentParser(description="Documents of the alias metrics from gold.")
    parser.add_argument("folder", type=Path, help="where to write them")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    days = chosen(options, parser)
    spark = build_session("export-metrics", "batch")
    try:
        export(spark, get_settings(), options.folder, days)
    finally:
        spark.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main()
