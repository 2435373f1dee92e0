"""How far each batch job got: ``ops.batch_progress``, one row per run, written after the run's data."""

from datetime import UTC, datetime
from typing import Final

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from include.config import Settings
from include.names import Table
from spark_jobs.io import read, table_exists, write

_SCHEMA: Final = "job string, bronze_version long, finished_at timestamp"


def done_version(spark: SparkSession, settings: Settings, job: str, at: datetime | None = None) -> int | None:
    """The bronze version that a job has worked in, now or at some time; None before its first run."""
    if not table_exists(spark, Table.BATCH_PROGRESS, settings):
        return None
    rows = read(spark, Table.BATCH_PROGRESS, settings).where(F.col("job") == job)
    if at is not None:
        rows = rows.where(F.col("finished_at") <= F.lit(at))
    latest = rows.orderBy(F.desc("finished_at")).select("bronze_version").first()
    return None if latest is None else int(latest["bronze_version"])


def record(spark: SparkSession, settings: Settings, job: str, version: int) -> None:
    """Note that a job has worked in a bronze version; call it when its data is written."""
    row = spark.createDataFrame([(job, version, datetime.now(UTC))], _SCHEMA)
    write(row.coalesce(1), Table.BATCH_PROGRESS, settings)
