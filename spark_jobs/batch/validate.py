"""Validate tables against their suites in ``expectations/``.

    spark-submit --properties-file spark_jobs/conf/batch.conf spark_jobs/batch/validate.py [TABLE ...] [--days 7]

Reads the newest days of each table, at most ``--max-rows`` of their rows (then a sample). Each verdict is kept in the
data folder, where publication asks for it, and goes to ``pipeline-health``; the Data Docs are written beside it. The
job ends with 0 also when a table fails: what that means is decided by who reads the verdict.
"""

import argparse
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from include.config import Settings, get_settings
from include.names import Table
from include.quality.frame import bounded, prepared
from include.quality.runner import run_suite
from include.quality.suite import load_suite, tables_with_suites
from include.quality.verdict import Verdict, keep, quality_dir
from include.serving.client import connect, reachable
from include.serving.pipeline_health import publish
from spark_jobs.batch.days import in_days
from spark_jobs.batch.observe import observe
from spark_jobs.io import read, table_exists
from spark_jobs.session import build_session

logger = logging.getLogger(__name__)


def newest_days(rows: DataFrame, count: int) -> list[str]:
    """The newest days (ISO) that a table has rows of, oldest first; none where it is not kept by day."""
    if "event_date" not in rows.columns:
        return []
    days = rows.select("event_date").distinct().orderBy(F.col("event_date").desc()).limit(count).collect()
    return sorted(row["event_date"].isoformat() for row in days)


def validate(spark: SparkSession, settings: Settings, table: Table, *, days: int, max_rows: int) -> Verdict:
    """Validate the newest days of a table and keep the verdict.

    Args:
        spark: The session.
        settings: Says where the lake is.
        table: A table with a suite; one that was never written gets a verdict without rows.
        days: How many of its newest days.
        max_rows: Read about so many of their rows, if there are more.
    """
    suite = load_suite(table)
    verdict = Verdict(
        table=table,
        checked_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        days=(),
        rows=0,
        sampled=False,
        seconds=0.0,
        expectations=len(suite.expectations),
        failures=(),
        report="",
    )
    started = time.monotonic()
    if table is Table.OBSERVATIONS:
        observe(spark, settings)
    if table_exists(spark, table, settings):
        rows = read(spark, table, settings)
        chosen = newest_days(rows, days)
        part, count, sampled = bounded(rows.where(in_days(chosen)) if chosen else rows, max_rows)

        def lookup(other: Table) -> DataFrame | None:
            return read(spark, other, settings) if table_exists(spark, other, settings) else None

        report = quality_dir(settings) / "docs" / f"{table.value}.html"
        failures = run_suite(prepared(part, suite, lookup), suite, report)
        verdict = replace(
            verdict, days=tuple(chosen), rows=count, sampled=sampled, failures=tuple(failures), report=str(report)
        )
    verdict = replace(verdict, seconds=round(time.monotonic() - started, 1))
    keep(settings, verdict)
    logger.info(
        "validated table=%s status=%s rows=%s sampled=%s failures=%s seconds=%s",
        table, verdict.status, verdict.rows, verdict.sampled, len(verdict.failures), verdict.seconds,
    )  # fmt: skip
    return verdict


def main(arguments: Sequence[str] | None = None) -> None:
    """Run as a Spark job."""
    parser = argparse.ArgumentParser(description="Validate tables against their suites.")
    parser.add_argument("tables", nargs="*", type=Table, metavar="TABLE", help="default: every table with a suite")
    parser.add_argument("--days", type=int, default=7, metavar="N", help="the newest N days of each table (default 7)")
    parser.add_argument("--max-rows", type=int, default=2_000_000, metavar="N", help="sample above (default 2000000)")
    options = parser.parse_args(arguments)
    settings = get_settings()
    spark = build_session("validate", "batch")
    try:
        verdicts = [
            validate(spark, settings, table, days=options.days, max_rows=options.max_rows)
            for table in options.tables or tables_with_suites()
        ]
    finally:
        spark.stop()
    client = connect(settings)
    try:
        with reachable(settings):
            publish(client, [verdict.health_record() for verdict in verdicts])
    finally:
        client.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main()
