"""Which rows of bronze a run has to look at: all, or those that arrived after a version of the table."""

import logging
from typing import Final
from urllib.parse import unquote

from delta.tables import DeltaTable
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from include.config import Settings
from include.names import Table
from spark_jobs.io import read

logger = logging.getLogger(__name__)

_COMMIT: Final = "add struct<path: string, dataChange: boolean>"
_MISSING: Final = "PATH_NOT_FOUND"


def version_of(spark: SparkSession, table: Table, settings: Settings) -> int:
    """The newest version of a table."""
    history = DeltaTable.forPath(spark, settings.table_path(table)).history(1)
    return int(history.select("version").first()["version"])


def rows_upto(spark: SparkSession, settings: Settings, version: int) -> DataFrame:
    """Bronze as it was at a version."""
    return read(spark, Table.BRONZE_EVENTS, settings, options={"versionAsOf": str(version)})


def rows_between(spark: SparkSession, settings: Settings, after: int | None, upto: int) -> DataFrame:
    """Rows that arrived in bronze after one version, up to and with another.

    Rows that compaction only moved are not among them. Where the table's log no longer reaches back that far, or
    compacted files are already deleted, all rows are returned: looking at a row again changes nothing.

    Args:
        spark: The session.
        settings: Says where the lake is.
        after: The version that is done; None for none.
        upto: The last version to read.
    """
    everything = rows_upto(spark, settings, upto)
    if after is None:
        return everything
    if after >= upto:
        return everything.limit(0)
    root = settings.table_path(Table.BRONZE_EVENTS)
    log = [f"{root}/_delta_log/{version:020d}.json" for version in range(after + 1, upto + 1)]
    try:
        added = spark.read.schema(_COMMIT).json(log).where("add.dataChange").select(F.col("add.path")).collect()
        if not added:
            return everything.limit(0)
        files = [f"{root}/{unquote(row['path'])}" for row in added]
        return spark.read.schema(everything.schema).option("basePath", root).parquet(*files)
    except AnalysisException as error:
        if error.getCondition() != _MISSING:
            raise
        logger.warning(
            "bronze is read whole, its log or files after version %s are gone: %s", after, error.getCondition()
        )
        return everything
