"""Count distinct events in Kafka, bronze, silver and gold, and list those that are not everywhere they must be.

    spark-submit --properties-file spark_jobs/conf/batch.conf spark_jobs/batch/audit.py --days 2 --ends OFFSETS

Independent of the pipeline: event ids and times are cut out of the raw bytes by plain JSON paths, without contracts,
without the parser, without its order of copies. What must be counted is every record that bronze holds and that is not
in ``bronze.rejected`` by its Kafka coordinates, each (topic, event id, day) once.
"""

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import reduce
from pathlib import Path
from typing import Any, Final

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from include.audit.report import LISTED
from include.config import Settings, get_settings
from include.handover.checkpoint import Offsets
from include.handover.segments import write_atomically
from include.names import RAW_TOPICS, SILVER_BY_TOPIC, Table
from spark_jobs.batch import gold, silver
from spark_jobs.batch.bronze import rows_upto
from spark_jobs.batch.days import add_arguments, chosen, in_days
from spark_jobs.batch.families import days_since
from spark_jobs.batch.progress import done_version
from spark_jobs.batch.vectors import before
from spark_jobs.io import read, table_exists
from spark_jobs.session import build_session

logger = logging.getLogger(__name__)

PLACE: Final = ("topic", "partition", "offset")
EVENT: Final = ("topic", "event_id", "day")
_CUT: Final = ("event_id", "day", "hour")
_SOURCES: Final = ("kafka", "bronze", "refused", "silver", "then")


# What may be wrong with a record, by its Kafka coordinates ...
_OF_PLACES: Final = {
    "in Kafka, not in bronze": "kafka > 0 AND bronze = 0",
    "in bronze with another event than in Kafka": "kafka > 0 AND bronze > 0 AND NOT (kafka_id <=> event_id)",
    "more than once in bronze": "bronze > 1",
    "neither refused nor an event": "bronze > 0 AND refused = 0 AND (event_id IS NULL OR day IS NULL)",
    "refused and yet in silver": "refused > 0 AND silver > 0",
}
# ... and with an event. Silver is held to the version of bronze that it has read.
_OF_EVENTS: Final = {
    "in bronze, not in silver": "expected_then > 0 AND silver = 0 AND aside = 0",
    "in silver, not in bronze": "silver > 0 AND expected_then = 0 AND beyond = 0",
    "more than once in silver": "silver > 1",
}
_PLACE_COUNTS: Final = {
    "kafka_records": "sum(kafka)",
    "kafka_ids": "count(DISTINCT CASE WHEN kafka > 0 THEN struct(topic, kafka_id) END)",
    "bronze_records": "sum(bronze)",
    "refused_records": "count_if(refused > 0)",
}
_EVENT_COUNTS: Final = {
    "bronze_ids": "count_if(expected > 0)",
    "silver_records": "sum(silver)",
    "silver_ids": "count_if(silver > 0)",
}


def cut(records: DataFrame) -> DataFrame:
    """Records with ``event_id``, ``day`` and ``hour`` as their bytes say, null where they do not."""
    text = F.col("value").cast("string")
    time = F.get_json_object(text, "$.event_time")
    return records.select(
        *PLACE,
        F.get_json_object(text, "$.event_id").alias("event_id"),
        F.substring(time, 1, 10).alias("day"),
        F.substring(time, 1, 13).alias("hour"),
    )


class Audit:
    """One audit of some days of event time.

    Args:
        days: The days, ISO.
        ends: Kafka's offsets up to which it counts; bronze and the dead letters have all before them.
        kafka: The records of Kafka up to there, of arrival days from ``first_arrival`` on.
    """

    def __init__(
        self, spark: SparkSession, settings: Settings, days: Sequence[str], ends: Offsets, kafka: DataFrame
    ) -> None:
        self._spark, self._settings, self._days, self._ends, self._kafka = spark, settings, list(days), ends, kafka
        self._since = first_arrival(days)

    def run(self) -> dict[str, Any]:
        """Counts, differences and expected totals, as the report takes them."""
        places = self._places().persist(StorageLevel.DISK_ONLY)
        events = self._events(places).persist(StorageLevel.DISK_ONLY)
        counts, found = _looked(places.where(before(self._ends)), _PLACE_COUNTS, _OF_PLACES, PLACE)
        more, wrong = _looked(events, _EVENT_COUNTS, _OF_EVENTS, EVENT)
        many = F.slice(F.sort_array(F.collect_list(F.expr("CASE WHEN expected > 1 THEN event_id END"))), 1, LISTED)
        hours = events.where("expected > 0").groupBy("hour").agg(F.count(F.lit(1)).alias("events"), many.alias("many"))
        rows = hours.collect()
        report = {
            "counts": {**counts, **more},
            "differences": [*found, *wrong],
            "hours": {row["hour"]: row["events"] for row in rows},
            # Where a live total is wrong, look at what came more than once.
            "repeated": {row["hour"]: list(row["many"]) for row in rows if row["many"]},
            "days": {r["day"]: r["count"] for r in events.where("silver > 0").groupBy("day").count().collect()},
            "gold": self._gold(),
            "pending": self._pending(),
        }
        places.unpersist()
        events.unpersist()
        return report

    def _places(self) -> DataFrame:
        """A row for each place in Kafka that any of the tables names."""
        bronze = self._archived(read(self._spark, Table.BRONZE_EVENTS, self._settings))
        sources = {"kafka": cut(self._kafka), "bronze": cut(bronze), "silver": self._silver()}
        if table_exists(self._spark, Table.BRONZE_REJECTED, self._settings):
            refused = read(self._spark, Table.BRONZE_REJECTED, self._settings)
            sources["refused"] = self._archived(refused).select(*PLACE)
        version = done_version(self._spark, self._settings, silver.JOB)
        if version is not None:
            sources["then"] = self._archived(rows_upto(self._spark, self._settings, version)).select(*PLACE)
        named = [frame.withColumn("source", F.lit(name)) for name, frame in sources.items()]
        union = reduce(lambda left, right: left.unionByName(right, allowMissingColumns=True), named)
        counted = [F.expr(f"count_if(source = '{name}')").alias(name) for name in _SOURCES]
        texts = [F.expr(f"max({name}) FILTER (WHERE source = 'bronze')").alias(name) for name in _CUT]
        kafka_id = F.expr("max(event_id) FILTER (WHERE source = 'kafka')").alias("kafka_id")
        return union.groupBy(*PLACE).agg(*counted, *texts, kafka_id)

    def _events(self, places: DataFrame) -> DataFrame:
        """A row for each event that bronze or silver has: (topic, event id, day)."""
        kept = places.where("bronze > 0 AND refused = 0").where(F.col("day").isin(self._days))
        kept = kept.select(*EVENT, "hour", "then", before(self._ends).alias("inside"))
        held = self._silver().select(*EVENT, F.lit(1).alias("silver"))
        if table_exists(self._spark, Table.SILVER_QUARANTINE, self._settings):
            aside = self._of_days(read(self._spark, Table.SILVER_QUARANTINE, self._settings))
            held = held.unionByName(aside.select(*EVENT, F.lit(1).alias("aside")), allowMissingColumns=True)
        else:
            held = held.withColumn("aside", F.lit(None).cast("int"))
        return (
            kept.unionByName(held, allowMissingColumns=True)
            .groupBy(*EVENT)
            .agg(
                F.expr("count_if(inside)").alias("expected"),
                F.expr("count_if(inside AND then > 0)").alias("expected_then"),
                F.expr("count_if(NOT inside AND then > 0)").alias("beyond"),
                F.expr("min(hour) FILTER (WHERE inside)").alias("hour"),
                F.expr("coalesce(sum(silver), 0)").alias("silver"),
                F.expr("coalesce(sum(aside), 0)").alias("aside"),
            )
        )

    def _archived(self, rows: DataFrame) -> DataFrame:
        return rows.where(F.col("arrival_date") >= F.lit(self._since))

    def _silver(self) -> DataFrame:
        union = self._spark.createDataFrame([], "topic string, partition int, offset long, event_id string, day string")
        for table in SILVER_BY_TOPIC.values():
            if table_exists(self._spark, table, self._settings):
                union = union.unionByName(self._of_days(read(self._spark, table, self._settings)))
        return union

    def _of_days(self, rows: DataFrame) -> DataFrame:
        day = F.date_format("event_date", "yyyy-MM-dd").alias("day")
        return rows.where(in_days(self._days)).select(*PLACE, "event_id", day)

    def _gold(self) -> dict[str, int]:
        if not table_exists(self._spark, Table.GOLD_METRICS_DAILY, self._settings):
            return {}
        rows = read(self._spark, Table.GOLD_METRICS_DAILY, self._settings).where(in_days(self._days))
        totals = rows.where("dimension = 'all'").groupBy("event_date").agg(F.sum("events").alias("events")).collect()
        return {row["event_date"].isoformat(): int(row["events"]) for row in totals}

    def _pending(self) -> list[str]:
        """Days of which silver got rows that gold has not taken yet."""
        done = done_version(self._spark, self._settings, gold.JOB)
        return [day for day in days_since(self._spark, self._settings, done) if day in set(self._days)]


def _looked(
    rows: DataFrame, counts: Mapping[str, str], faults: Mapping[str, str], shown: Sequence[str]
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Counts of rows, and the faults that any has, each with the first rows that have it: one look when all is well."""
    asked = [F.expr(f"coalesce({sql}, 0)").alias(name) for name, sql in counts.items()]
    asked += [F.expr(f"count_if({sql})").alias(what) for what, sql in faults.items()]
    totals = rows.agg(*asked).first().asDict()
    names = [*EVENT[:2], *(name for name in shown if name not in EVENT[:2])]
    found = []
    for what, sql in faults.items():
        if totals[what]:
            wrong = rows.where(sql)
            wrong = (
                wrong.withColumn("event_id", F.coalesce("kafka_id", "event_id"))
                if "kafka_id" in rows.columns
                else wrong
            )
            first = wrong.orderBy(*names).limit(LISTED).collect()
            events = [" ".join("-" if row[name] is None else str(row[name]) for name in names) for row in first]
            found.append({"what": what, "count": totals[what], "events": events})
    return {name: int(totals[name]) for name in counts}, found


def first_arrival(days: Sequence[str]) -> date:
    """The first day on which events of these days arrive: one may be ten minutes ahead of its arrival."""
    return date.fromisoformat(days[0]) - timedelta(days=1)


def kafka_records(spark: SparkSession, settings: Settings, days: Sequence[str], ends: Offsets) -> DataFrame:
    """What Kafka still holds of these days, up to the offsets."""
    since = (first_arrival(days) - date(1970, 1, 1)).days * 86_400_000
    options = {
        "startingTimestamp": str(since),
        # Where nothing is that young, nothing is read.
        "startingOffsetsByTimestampStrategy": "latest",
        "endingOffsets": json.dumps({topic: {str(p): end for p, end in of.items()} for topic, of in ends.items()}),
    }
    return read(spark, RAW_TOPICS, settings, options=options)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run as a Spark job."""
    parser = argparse.ArgumentParser(description="Count distinct events everywhere.")
    add_arguments(parser)
    parser.add_argument("--ends", type=json.loads, required=True, help="offsets by topic and partition, as JSON")
    parser.add_argument("--report", type=Path, required=True, help="file for what was found, as JSON")
    options = parser.parse_args(arguments)
    days = chosen(options, parser)
    ends = {topic: {int(p): int(end) for p, end in offsets.items()} for topic, offsets in options.ends.items()}
    spark = build_session("audit", "batch")
    try:
        settings = get_settings()
        found = Audit(spark, settings, days, ends, kafka_records(spark, settings, days, ends)).run()
    finally:
        spark.stop()
    write_atomically(options.report, json.dumps(found))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main()
