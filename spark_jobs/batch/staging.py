"""Rows that a job computes once and reads several times, kept in files while it runs.

Files instead of Spark's cache: they are columns, cost half as much to write, and take no memory however many rows.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from pyspark.sql import DataFrame, SparkSession

from include.config import Settings

_FOLDER: Final = "ops/staged"
# They live for minutes on the way to another file: neither looking for repeated values nor compressing pays.
_AS_THEY_ARE: Final = {"compression": "none", "parquet.enable.dictionary": "false"}


@contextmanager
def staged(frame: DataFrame, settings: Settings, name: str, partition_by: Sequence[str] = ()) -> Iterator[DataFrame]:
    """Keep a frame's rows below the lake while the block runs; what a killed job left there is replaced.

    Args:
        frame: What to compute.
        settings: Say where the lake is.
        name: The folder; who uses it takes care to be alone.
        partition_by: Columns by which the rows are looked for.

    Yields:
        The same rows, read from the files.
    """
    path = f"{settings.lake_root.rstrip('/')}/{_FOLDER}/{name}"
    try:
        frame.write.mode("overwrite").options(**_AS_THEY_ARE).partitionBy(*partition_by).parquet(path)
        yield frame.sparkSession.read.schema(frame.schema).parquet(path)
    finally:
        _delete(frame.sparkSession, path)


def _delete(spark: SparkSession, path: str) -> None:
    jvm = spark._jvm
    if jvm is None:
        raise RuntimeError("there is no Spark to delete files with")
    folder = jvm.org.apache.hadoop.fs.Path(path)
    folder.getFileSystem(spark._jsc.hadoopConfiguration()).delete(folder, True)
