"""Refused records of a selection as files, and which of the events that they would become are in the lake already.

    spark-submit --properties-file spark_jobs/conf/batch.conf spark_jobs/batch/letters.py FOLDER

The folder holds ``order.json``: the selection and, for a replay, its rules and time. The job writes ``letters.jsonl``,
one letter a line, the oldest first, and for a replay ``present.jsonl``: topic, event id and day of what is there.
"""

import argparse
import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from include.config import Settings, get_settings
from include.contracts.validation import Rejection
from include.dead_letters.letter import Selection, letter_from, selection_from
from include.dead_letters.patches import read_rules
from include.dead_letters.repair import repair
from include.messaging.topics import end_offsets
from include.names import RAW_TOPICS, Table
from spark_jobs.batch import silver
from spark_jobs.batch.archived import wait_archived
from spark_jobs.batch.bronze import rows_between, version_of
from spark_jobs.batch.copies import COORDINATES, IDENTITY
from spark_jobs.batch.days import in_days
from spark_jobs.batch.families import silver_events
from spark_jobs.batch.progress import done_version
from spark_jobs.io import read, table_exists
from spark_jobs.session import build_session
from spark_jobs.transforms.parse import parse_events, valid_events

logger = logging.getLogger(__name__)

_TEXTS: Final = ("stage", "reason", "field", "expected", "found", "contract")
_CANDIDATES: Final = "topic string, event_id string, event_date date"


def _chosen(selection: Selection) -> Iterator[Column]:
    if selection.topics:
        yield F.col("topic").isin([topic.value for topic in selection.topics])
    if selection.reasons:
        yield F.col("reason").isin([reason.value for reason in selection.reasons])
    if selection.since:
        yield (F.col("kafka_time") >= F.lit(selection.since)) & (F.col("arrival_date") >= selection.since.date())
    if selection.until:
        yield (F.col("kafka_time") < F.lit(selection.until)) & (F.col("arrival_date") <= selection.until.date())
    if selection.places:
        places = [f"{place.topic}-{place.partition}-{place.offset}" for place in selection.places]
        yield F.concat_ws("-", "topic", F.col("partition").cast("string"), F.col("offset").cast("string")).isin(places)


def letters(spark: SparkSession, settings: Settings, selection: Selection) -> DataFrame | None:
    """The letters of a selection as JSON lines, the oldest first; None where nothing was ever refused."""
    if not table_exists(spark, Table.BRONZE_REJECTED, settings):
        return None
    rows = read(spark, Table.BRONZE_REJECTED, settings)
    for condition in _chosen(selection):
        rows = rows.where(condition)
    rows = rows.dropDuplicates([*COORDINATES]).orderBy("kafka_time", *COORDINATES)
    rows = rows.limit(selection.limit) if selection.limit else rows
    time = F.date_format("kafka_time", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX").alias("kafka_time")
    content = F.struct(*COORDINATES, time, F.base64("key").alias("key"), F.base64("value").alias("value"), *_TEXTS)
    return rows.select(F.to_json(content).alias("line"))


def present(spark: SparkSession, settings: Settings, wanted: Iterable[tuple[str, str, Any]]) -> list[dict[str, str]]:
    """Which of these events (topic, id, day) silver holds, or bronze since silver's last run."""
    candidates = spark.createDataFrame(list(wanted), _CANDIDATES).dropDuplicates()
    days = [row["event_date"].isoformat() for row in candidates.select("event_date").distinct().collect()]
    if not days or not table_exists(spark, Table.BRONZE_EVENTS, settings):
        return []
    upto = version_of(spark, Table.BRONZE_EVENTS, settings)
    newer = rows_between(spark, settings, done_version(spark, settings, silver.JOB), upto)
    held = valid_events(parse_events(newer)).withColumn("event_date", F.to_date("event_time")).select(*IDENTITY)
    events = silver_events(spark, settings)
    if events is not None:
        held = held.unionByName(events.select(*IDENTITY))
    found = held.where(in_days(days)).join(F.broadcast(candidates), [*IDENTITY], "left_semi").distinct().collect()
    return [{"topic": r["topic"], "event_id": r["event_id"], "day": r["event_date"].isoformat()} for r in found]


def find(spark: SparkSession, settings: Settings, folder: Path) -> None:
    """Carry out the order of a folder."""
    order = json.loads((folder / "order.json").read_text(encoding="utf-8"))
    if order.get("settle"):
        ends = end_offsets(settings)
        wait_archived(spark, settings, {}, {topic: ends[topic] for topic in RAW_TOPICS if topic in ends})
    found = letters(spark, settings, selection_from(order["selection"]))
    rules = read_rules(order["rules"], "rules") if order.get("rules") else ()
    identities = []
    with (folder / "letters.jsonl").open("w", encoding="utf-8") as output:
        for row in found.toLocalIterator() if found is not None else ():
            output.write(row["line"] + "\n")
            if order.get("present"):
                result = repair(letter_from(row["line"]), rules, datetime.fromisoformat(order["now"]))
                if not isinstance(result, Rejection):
                    day = datetime.fromisoformat(result.identity.day).date()
                    identities.append((result.identity.topic, result.identity.event_id, day))
    there = present(spark, settings, identities) if identities else []
    lines = "".join(json.dumps(one) + "\n" for one in there)
    (folder / "present.jsonl").write_text(lines, encoding="utf-8")
    logger.info("letters repairable=%s present=%s", len(identities), len(there))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run as a Spark job."""
    parser = argparse.ArgumentParser(description="Letters of a selection as files.")
    parser.add_argument("folder", type=Path, help="holds order.json; takes the files")
    options = parser.parse_args(arguments)
    spark = build_session("letters", "batch")
    try:
        find(spark, get_settings(), options.folder)
    finally:
        spark.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main()
