"""Which rows of bronze a run has to look at: all, or those that arrived after a version of the table."""

import logging
from typing import Final
from urllib.parse import unquote

from delta.tables import DeltaTable
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from include.config import Settings
from include.errors import ConfigurationError
from include.names import SILVER_BY_TOPIC, Table
from spark_jobs.io import read, table_exists

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


def require_whole(spark: SparkSession, settings: Settings) -> None:
    """Check that bronze still has every record that silver holds, as a full rebuild of silver needs.

    Raises:
        ConfigurationError: If records were deleted; names the partitions.
    """
    held = _first_offsets(read(spark, Table.BRONZE_EVENTS, settings))
    for table in SILVER_BY_TOPIC.values():
        if table_exists(spark, table, settings):
            for (topic, partition), first in sorted(_first_offsets(read(spark, table, settings)).items()):
                begins = held.get((topic, partition))
                if begins is None or begins > first:
                    raise ConfigurationError(
                        f"a full rebuild would lose events: {table} holds {topic}-{partition} from offset {first} on, "
                        f"bronze from {begins} on (BRONZE_KEEP_DAYS and PERSONAL_KEEP_DAYS delete records of bronze). "
                        "Compute gold anew instead: process-batch --from DAY --to DAY"
                    )


def _first_offsets(rows: DataFrame) -> dict[tuple[str, int], int]:
    found = rows.groupBy("topic", "partition").agg(F.min("offset").alias("first")).collect()
    return {(row["topic"], row["partition"]): row["first"] for row in found}
