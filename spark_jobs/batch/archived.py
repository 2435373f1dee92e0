"""Whether bronze holds what lies between two vectors of offsets yet."""

import time
from typing import Final

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from include.config import Settings
from include.errors import PartUnavailableError
from include.handover.checkpoint import Offsets
from include.names import Query, Table
from spark_jobs.batch.vectors import within
from spark_jobs.io import read, table_exists

_POLL_SECONDS: Final = 2.0


def _archived(spark: SparkSession, settings: Settings, start: Offsets, end: Offsets) -> Offsets:
    """Per partition, the offset after the last one that bronze holds between the vectors."""
    if not table_exists(spark, Table.BRONZE_EVENTS, settings):
        return {}
    rows = read(spark, Table.BRONZE_EVENTS, settings).where(within(start, end))
    found: Offsets = {}
    for row in rows.groupBy("topic", "partition").agg((F.max("offset") + 1).alias("next")).collect():
        found.setdefault(row["topic"], {})[row["partition"]] = row["next"]
    return found


def _missing(archived: Offsets, start: Offsets, end: Offsets) -> list[str]:
    return [
        f"{topic}-{partition} at {archived.get(topic, {}).get(partition, 'nothing')} of {last}"
        for topic, partitions in sorted(end.items())
        for partition, last in sorted(partitions.items())
        if last > start.get(topic, {}).get(partition, 0) and archived.get(topic, {}).get(partition, 0) < last
    ]


def wait_archived(spark: SparkSession, settings: Settings, start: Offsets, end: Offsets) -> None:
    """Wait until bronze holds everything that lies before the end offsets.

    Raises:
        PartUnavailableError: If it does not within the time of ``HANDOVER_ARCHIVE_SECONDS``; says what is missing.
    """
    deadline = time.monotonic() + settings.handover_archive_seconds
    while missing := _missing(_archived(spark, settings, start, end), start, end):
        if time.monotonic() > deadline:
            raise PartUnavailableError(
                Query.BRONZE_ARCHIVE,
                f"bronze lacks records that the segments hold ({'; '.join(missing)}) after waiting "
                f"{settings.handover_archive_seconds} s; see its state with python main.py stream health",
            )
        time.sleep(_POLL_SECONDS)
