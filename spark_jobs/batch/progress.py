"""How far each batch job got: ``ops.batch_progress``, one row per run, written after the run's data."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from include.config import Settings
from include.names import Table
from spark_jobs.io import read, table_exists, write

_SCHEMA: Final = "job string, bronze_version long, finished_at timestamp"


def done_version(spark: SparkSession, settings: Settings, job: str) -> int | None:
    """The bronze version that a job has worked in; None before its first run."""
    if not table_exists(spark, Table.BATCH_PROGRESS, settings):
        return None
    rows = read(spark, Table.BATCH_PROGRESS, settings).where(F.col("job") == job)
    latest = rows.orderBy(F.desc("finished_at")).select("bronze_version").first()
    return None if latest is None else int(latest["bronze_version"])


def record(spark: SparkSession, settings: Settings, job: str, version: int) -> None:
    """Note that a job has worked in a bronze version; call it when its data is written."""
    row = spark.createDataFrame([(job, version, datetime.now(UTC))], _SCHEMA)
    write(row.coalesce(1), Table.BATCH_PROGRESS, settings)


@contextmanager
def alone(settings: Settings, job: str) -> Iterator[None]:
    """Keep a second run of a job waiting: two that look at the same rows at once would both write them."""
    path = settings.platform_data_dir / "batch" / f"{job}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        # Held by the open file, so it ends with the process, however that ends.
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
