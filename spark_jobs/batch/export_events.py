"""Documents of the alias ``events`` from silver, as bulk bodies: what a reindex of it starts from.

    spark-submit --properties-file spark_jobs/conf/batch.conf spark_jobs/batch/export_events.py FOLDER [--days 7]

Writes ``FOLDER/day=<day>/part-*.txt`` (a line for the action, one for the document) and, last, ``FOLDER/result.json``:
the number of documents, and the offsets after the last record of each partition that silver has seen. The index knows
an event by its id alone, so where an id names several events (a sender's mistake) the earliest of them is taken.
"""

import argparse
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from include.config import Settings, get_settings
from include.handover.segments import write_atomically
from spark_jobs.batch import silver
from spark_jobs.batch.bronze import rows_upto
from spark_jobs.batch.copies import ORDER
from spark_jobs.batch.days import add_arguments, chosen, in_days
from spark_jobs.batch.families import silver_events
from spark_jobs.batch.progress import done_version
from spark_jobs.session import build_session
from spark_jobs.transforms.event_documents import event_fields, stamp

_LINES_PER_DOCUMENT: Final = 2


def _one_for_each_id(events: DataFrame) -> DataFrame:
    uses = Window.partitionBy("event_id").orderBy(*ORDER)
    return events.withColumn("use", F.row_number().over(uses)).where("use = 1").drop("use")


def documents(events: DataFrame) -> DataFrame:
    """Bulk bodies of conformed events, with their day."""
    now = stamp()
    source = F.to_json(F.struct(*event_fields(), now.alias("processed_at"), now.alias("indexed_at")))
    action = F.to_json(F.struct(F.struct(F.col("event_id").alias("_id")).alias("index")))
    return events.select(F.concat(action, F.lit("\n"), source).alias("line"), F.col("event_date").alias("day"))


def _end_offsets(spark: SparkSession, settings: Settings) -> dict[str, dict[str, int]]:
    version = done_version(spark, settings, silver.JOB)
    found: dict[str, dict[str, int]] = {}
    if version is None:
        return found
    ends = rows_upto(spark, settings, version).groupBy("topic", "partition").agg((F.max("offset") + 1).alias("end"))
    for row in ends.collect():
        found.setdefault(row["topic"], {})[str(row["partition"])] = row["end"]
    return found


def export(spark: SparkSession, settings: Settings, folder: Path, days: Sequence[str] = ()) -> dict[str, Any]:
    """Write the documents of all days of silver, or of those given; returns what ``result.json`` holds."""
    silver.run(spark, settings)
    events = silver_events(spark, settings)
    count = 0
    if events is not None:
        chosen_events = _one_for_each_id(events.where(in_days(days)) if days else events)
        documents(chosen_events).write.mode("overwrite").partitionBy("day").text(str(folder))
        count = int(spark.read.text(str(folder)).count()) // _LINES_PER_DOCUMENT
    result = {"documents": count, "end_offsets": _end_offsets(spark, settings)}
    write_atomically(folder / "result.json", json.dumps(result))
    return result


def main(arguments: Sequence[str] | None = None) -> None:
    """Run as a Spark job."""
    parser = argparse.ArgumentParser(description="Documents of the alias events from silver.")
    parser.add_argument("folder", type=Path, help="where to write them")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    days = chosen(options, parser)
    spark = build_session("export-events", "batch")
    try:
        export(spark, get_settings(), options.folder, days)
    finally:
        spark.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main()
