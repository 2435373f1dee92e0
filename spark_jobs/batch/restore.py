"""Put a table of silver or gold back to an earlier version: the way back from a bad run.

    spark-submit --properties-file spark_jobs/conf/batch.conf spark_jobs/batch/restore.py TABLE [--version N]

Without a version it lists the latest. Bronze is the truth and never put back: its streams do not read
again what they have done. What a job did since is forgotten with the rows, so that its next run does it again.
"""

import argparse
import json
import logging
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from delta.tables import DeltaTable
from pyspark.errors import IllegalArgumentException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from include.config import Settings, get_settings
from include.errors import ConfigurationError
from include.handover.segments import write_atomically
from include.names import SILVER_BY_TOPIC, Table
from spark_jobs.alone import alone
from spark_jobs.batch import gold, silver
from spark_jobs.batch.progress import done_version, record
from spark_jobs.io import read, table_exists
from spark_jobs.session import build_session

logger = logging.getLogger(__name__)

_LISTED: Final = 30
_NOTHING_DONE: Final = -1
_WRITTEN_BY: Final = {
    **dict.fromkeys((*SILVER_BY_TOPIC.values(), Table.SILVER_DUPLICATES), silver.JOB),
    **dict.fromkeys(
        (
            Table.GOLD_METRICS_MINUTELY,
            Table.GOLD_METRICS_HOURLY,
            Table.GOLD_METRICS_DAILY,
            Table.GOLD_SESSIONS,
            Table.GOLD_FUNNEL_DAILY,
            Table.GOLD_PRODUCTS_DAILY,
            Table.GOLD_STOCK_MOVEMENTS_DAILY,
            Table.GOLD_STOCK_DAILY,
            Table.GOLD_RETENTION_WEEKLY,
            Table.GOLD_CUSTOMER_PROFILES,
        ),
        gold.JOB,
    ),
}


@dataclass(frozen=True)
class Version:
    """One version of a table.

    Attributes:
        version: Its number.
        written_at: When, ISO with time zone.
        operation: What was done, in Delta's words.
        rows: Rows that it wrote; None where Delta does not say.
    """

    version: int
    written_at: str
    operation: str
    rows: int | None


@dataclass(frozen=True)
class Restored:
    """What was put back.

    Attributes:
        table: Its name.
        version: The version whose rows it has again.
        was: The version before.
        rows: How many rows it has now.
        bronze_version: Where the job that writes the table goes on; None where nothing counts it.
    """

    table: str
    version: int
    was: int
    rows: int
    bronze_version: int | None


def versions(spark: SparkSession, settings: Settings, table: Table) -> list[Version]:
    """The versions that Delta still has of a table, newest first.

    Raises:
        ConfigurationError: If the table was never written, or is one that is not put back.
    """
    if not table.value.startswith(("silver.", "gold.")):
        raise ConfigurationError(f"{table} is not put back: choose a table of silver or gold, they are made of bronze")
    if not table_exists(spark, table, settings):
        raise ConfigurationError(f"{table} was never written: there is nothing to put back")
    history = DeltaTable.forPath(spark, settings.table_path(table)).history()
    return [
        Version(
            version=row["version"],
            written_at=row["timestamp"].astimezone(UTC).isoformat(timespec="milliseconds"),
            operation=row["operation"],
            rows=int(row["operationMetrics"]["numOutputRows"]) if "numOutputRows" in row["operationMetrics"] else None,
        )
        for row in history.orderBy(F.desc("version")).collect()
    ]


def restore(spark: SparkSession, settings: Settings, table: Table, version: int) -> Restored:
    """Put a table back, and with it what its job knows to have done.

    Raises:
        ConfigurationError: If Delta does not have the version any more, or the table is not put back.
    """
    known = {one.version: one for one in versions(spark, settings, table)}
    if version not in known:
        raise ConfigurationError(f"--version {version}: {table} has {min(known)} to {max(known)}")
    job = _WRITTEN_BY.get(table)
    with alone(settings, job) if job else nullcontext():
        try:
            DeltaTable.forPath(spark, settings.table_path(table)).restoreToVersion(version)
        except IllegalArgumentException as error:
            raise ConfigurationError(
                f"--version {version}: files of it are deleted already; they are kept for DELTA_HISTORY_HOURS "
                f"({settings.delta_history_hours} h). Compute the days anew: process-batch --from DAY --to DAY"
            ) from error
        done = None
        if job:
            before = done_version(spark, settings, job, at=datetime.fromisoformat(known[version].written_at))
            done = _NOTHING_DONE if before is None else before
            record(spark, settings, job, done)
    rows = read(spark, table, settings).count()
    restored = Restored(table.value, version, max(known), rows, done)
    logger.info("restored %s", json.dumps(asdict(restored)))
    return restored


def main(arguments: Sequence[str] | None = None) -> None:
    """Run as a Spark job."""
    parser = argparse.ArgumentParser(description="Put a table of silver or gold back to an earlier version.")
    parser.add_argument("table", type=Table, help="as gold.metrics_daily")
    parser.add_argument("--version", type=int, help="the version to go back to; default: list them")
    parser.add_argument("--report", type=Path, help="file for the result, as JSON")
    options = parser.parse_args(arguments)
    spark, settings = build_session("restore", "batch"), get_settings()
    try:
        if options.version is None:
            result = {"versions": [asdict(one) for one in versions(spark, settings, options.table)[:_LISTED]]}
        else:
            result = asdict(restore(spark, settings, options.table, options.version))
    finally:
        spark.stop()
    if options.report:
        write_atomically(options.report, json.dumps(result))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main()
