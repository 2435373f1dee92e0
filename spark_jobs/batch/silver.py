"""Bronze to silver: every valid event once, in the day when it happened.

    spark-submit --properties-file spark_jobs/conf/batch.conf spark_jobs/batch/silver.py [--full]

A run reads what arrived in bronze since the last one. Of several copies of an event the first by
``(kafka_time, topic, partition, offset)`` is the one in silver, however the copies are spread over runs; the others
are kept in ``silver.duplicates``. Data is written before progress: a run that is killed anywhere is repeated by the
next one, and writing a row again changes nothing.
"""

import argparse
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from delta.tables import DeltaTable
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from include.config import Settings, get_settings
from include.names import SILVER_BY_TOPIC, Table, Topic
from spark_jobs.alone import alone
from spark_jobs.batch.arrived import Arrived
from spark_jobs.batch.bronze import require_whole, rows_between, rows_upto, version_of
from spark_jobs.batch.copies import COORDINATES, IDENTITY, ORDER, order_of, with_date
from spark_jobs.batch.days import in_days, in_days_sql
from spark_jobs.batch.families import LEADING, widened
from spark_jobs.batch.progress import done_version, record
from spark_jobs.batch.staging import staged
from spark_jobs.io import read, table_exists, write
from spark_jobs.session import build_session
from spark_jobs.transforms.parse import parse_events, valid_events

logger = logging.getLogger(__name__)

JOB: Final = "silver"
# Below it, a file costs more than its rows; above it, moving them costs more than the files.
_SMALL_DAY: Final = 20_000
# A contract may get fields: old tables take them, a rebuild starts with them.
_WIDEN: Final = {"mergeSchema": "true"}
# Minima and maxima of further columns cost a third of a write and would skip no file.
_REPLACE: Final = {"overwriteSchema": "true", "delta.dataSkippingNumIndexedCols": str(len(LEADING))}


@dataclass
class SilverReport:
    """What a run did.

    Attributes:
        bronze_version: The version it worked up to; None when there is no bronze yet.
        rows_read: Bronze rows looked at.
        refused: Of them, rows that break their contract.
        written: New rows in silver, by day.
        duplicates: Copies that do not count, by day.
        replaced: Rows of silver that gave way to an earlier copy.
        reused_ids: Ids in the rows looked at that name more than one event: the senders' mistake.
    """

    bronze_version: int | None = None
    rows_read: int = 0
    refused: int = 0
    written: dict[str, int] = field(default_factory=dict)
    duplicates: dict[str, int] = field(default_factory=dict)
    replaced: int = 0
    reused_ids: int = 0

    def add(self, kind: dict[str, int], counts: dict[str, int]) -> None:
        """Add counts by day to one of the report's own."""
        for day, count in counts.items():
            kind[day] = kind.get(day, 0) + count


def _by_day(rows: DataFrame) -> dict[str, int]:
    return {row["event_date"].isoformat(): row["count"] for row in rows.groupBy("event_date").count().collect()}


def _known(spark: SparkSession, settings: Settings, table: Table, first: DataFrame, days: list[str]) -> DataFrame:
    """Which of a run's first copies are of events that silver holds: their identity, and ``state`` beside that row."""
    places = [name for name in ORDER if name not in IDENTITY]
    held = read(spark, table, settings).where(in_days(days))
    held = held.select(*IDENTITY, *(F.col(name).alias(f"silver_{name}") for name in places))
    held = held.withColumn("silver_topic", F.col("topic"))
    same = (F.col("partition") == F.col("silver_partition")) & (F.col("offset") == F.col("silver_offset"))
    state = F.when(same, "known").when(order_of() < order_of("silver_"), "earlier").otherwise("later")
    both = first.select(*IDENTITY, *places).join(held, [*IDENTITY])
    return both.select(*IDENTITY, state.alias("state"))


def _keep_duplicates(
    spark: SparkSession, settings: Settings, rows: DataFrame, days: list[str], *, full: bool = False
) -> dict[str, int]:
    """Add copies to ``silver.duplicates``, those only that are not in it; returns their number by day."""
    rows = widened(rows)
    if not full and table_exists(spark, Table.SILVER_DUPLICATES, settings):
        kept = read(spark, Table.SILVER_DUPLICATES, settings).where(in_days(days)).select("event_date", *COORDINATES)
        rows = rows.join(F.broadcast(kept), ["event_date", *COORDINATES], "left_anti").select(*rows.columns)
    counts = _by_day(rows)
    if counts or full:
        write(
            rows.repartition("event_date"),
            Table.SILVER_DUPLICATES,
            settings,
            mode="overwrite" if full else "append",
            partition_by=["event_date"],
            options=_REPLACE if full else _WIDEN,
        )
    return counts


def _replace_later_copies(
    spark: SparkSession, settings: Settings, table: Table, rows: DataFrame, days: list[str]
) -> None:
    """Put earlier copies in the place of those that silver holds, which move to the duplicates first."""
    held = read(spark, table, settings).where(in_days(days))
    _keep_duplicates(spark, settings, held.join(F.broadcast(rows.select(*IDENTITY)), [*IDENTITY]), days)
    silver = DeltaTable.forPath(spark, settings.table_path(table)).alias("held")
    same = " AND ".join(f"held.{name} = early.{name}" for name in IDENTITY)
    silver.merge(rows.alias("early"), f"held.{in_days_sql(days)} AND {same}").whenMatchedUpdateAll().execute()


def _by_file(rows: DataFrame, by_day: dict[str, int]) -> DataFrame:
    """Rows as they will be written: each small day in one file, instead of one from each task."""
    return rows.repartition("event_date") if sum(by_day.values()) < _SMALL_DAY * len(by_day) else rows


def _beside(
    spark: SparkSession, settings: Settings, topic: Topic, first: DataFrame, by_day: dict[str, int]
) -> tuple[DataFrame, dict[str, dict[str, int]]]:
    """Compare the first copies of a run with a silver table that has rows already.

    Returns:
        What silver knows (``_known``), kept on disk, and the number of rows by state and day; "new" among them.
    """
    known = _known(spark, settings, SILVER_BY_TOPIC[topic], first, sorted(by_day)).persist(StorageLevel.DISK_ONLY)
    counts: dict[str, dict[str, int]] = {}
    new = dict(by_day)
    for row in known.groupBy("state", "event_date").count().collect():
        day = row["event_date"].isoformat()
        counts.setdefault(row["state"], {})[day] = row["count"]
        new[day] -= row["count"]
    return known, {**counts, "new": {day: count for day, count in new.items() if count}}


def _add(
    spark: SparkSession,
    settings: Settings,
    topic: Topic,
    first: DataFrame,
    by_day: dict[str, int],
    report: SilverReport,
) -> None:
    """Add the first copies of a run to a silver table that has rows already."""
    table, days = SILVER_BY_TOPIC[topic], sorted(by_day)
    known, counts = _beside(spark, settings, topic, first, by_day)

    def rows_that_are(state: str) -> DataFrame:
        wanted = known.where(F.col("state") == state).select(*IDENTITY)
        return first.join(wanted, [*IDENTITY], "left_semi").select(*first.columns)

    if "later" in counts:
        report.add(report.duplicates, _keep_duplicates(spark, settings, rows_that_are("later"), days))
    if "earlier" in counts:
        _replace_later_copies(spark, settings, table, rows_that_are("earlier"), days)
        report.replaced += sum(counts["earlier"].values())
    if counts["new"]:
        is_all_new = counts["new"] == by_day
        new = first if is_all_new else first.join(known.select(*IDENTITY), [*IDENTITY], "left_anti")
        write(_by_file(new.select(*first.columns), counts["new"]), table, settings, options=_WIDEN)
        report.add(report.written, counts["new"])
    known.unpersist()


def _write_all(spark: SparkSession, settings: Settings, arrived: Arrived, report: SilverReport, *, full: bool) -> None:
    counts = arrived.counts()
    report.refused = report.rows_read - sum(count.first + count.repeated for count in counts.values())
    report.reused_ids = sum(count.reused for count in counts.values())
    repeats = sorted({day for (_, day), count in counts.items() if count.repeated})
    if repeats or full:
        kept = _keep_duplicates(spark, settings, arrived.further(), repeats, full=full)
        report.add(report.duplicates, kept)
    for topic, table in SILVER_BY_TOPIC.items():
        first = arrived.first(topic)
        by_day = {day: count.first for (of, day), count in counts.items() if of == topic.value and count.first}
        held = table_exists(spark, table, settings)
        if by_day and held and not full:
            _add(spark, settings, topic, first, by_day, report)
        elif by_day or (held and full):
            rows = _by_file(first, by_day)
            write(rows, table, settings, mode="overwrite", partition_by=["event_date"], options=_REPLACE)
            report.add(report.written, by_day)


def run(spark: SparkSession, settings: Settings, *, full: bool = False) -> SilverReport:
    """Bring silver up to the newest version of bronze.

    Args:
        spark: The session.
        settings: Says where the lake is.
        full: Build everything anew from all of bronze; the rows are the same, but for ``bronze_version``.

    Raises:
        ConfigurationError: If everything is to be built anew and bronze no longer has all that silver holds.
    """
    with alone(settings, JOB):
        return _run(spark, settings, full=full)


def _run(spark: SparkSession, settings: Settings, *, full: bool) -> SilverReport:
    report = SilverReport()
    if not table_exists(spark, Table.BRONZE_EVENTS, settings):
        return report
    report.bronze_version = upto = version_of(spark, Table.BRONZE_EVENTS, settings)
    done = None if full else done_version(spark, settings, JOB)
    if done == upto:
        return report
    if full:
        require_whole(spark, settings)
    rows = rows_upto(spark, settings, upto) if full else rows_between(spark, settings, done, upto)
    report.rows_read = int(rows.count())
    events = valid_events(parse_events(rows)).withColumn("bronze_version", F.lit(upto).cast("long"))
    with staged(with_date(events), settings, JOB, ["topic"]) as dated:
        arrived = Arrived.of(dated)
        _write_all(spark, settings, arrived, report, full=full)
        arrived.release()
    record(spark, settings, JOB, upto)
    logger.info("silver %s", json.dumps(asdict(report)))
    return report


def main(arguments: Sequence[str] | None = None) -> None:
    """Run as a Spark job."""
    parser = argparse.ArgumentParser(description="Bronze to silver.")
    parser.add_argument("--full", action="store_true", help="build everything anew from all of bronze")
    options = parser.parse_args(arguments)
    spark = build_session("silver", "batch")
    try:
        run(spark, get_settings(), full=options.full)
    finally:
        spark.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main()
