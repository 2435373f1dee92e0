"""Each event of a query's micro-batches once: copies that arrive within a window after it are left out.

Why it is not Spark's ``dropDuplicatesWithinWatermark``: docs/decisions/002-ids-are-remembered-by-arrival.md
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pyspark.sql import DataFrame, SparkSession

from include.config import Settings
from include.names import Query
from spark_jobs.streaming.documents import Stamps

IDS_FOLDER: Final = "ids"
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Firsts:
    """What is new in a micro-batch.

    Attributes:
        events: The events without copies.
        count: How many they are.
        copies: How many copies were left out.
        stamps: Times of all that the micro-batch read; None when it read no event.
    """

    events: DataFrame
    count: int
    copies: int
    stamps: Stamps | None


class Once:
    """Remembers the ids of a query's events, in its checkpoint and in memory.

    A micro-batch that is repeated after a crash lets through the same events again. A thread at a time.
    """

    def __init__(self, spark: SparkSession, settings: Settings, query: Query) -> None:
        jvm = spark._jvm
        assert jvm is not None
        folder = Path(settings.checkpoint_path(query)) / IDS_FOLDER
        self._spark = spark
        self._once = jvm.realtimedataplatform.Once(str(folder), settings.dedup_window_seconds)

    @contextmanager
    def firsts_of(self, events: DataFrame, batch_id: int) -> Iterator[Firsts]:
        """The new events of a micro-batch, held in memory until the context ends.

        Args:
            events: Rows with ``event_id``, ``event_time`` and ``kafka_time``.
            batch_id: The micro-batch's number; the one before it must be known.
        """
        found = self._once.firstsOf(events._jdf, batch_id)
        try:
            count, copies = found.count(), found.copies()
            stamps = _stamps(found) if count + copies else None
            yield Firsts(DataFrame(found.frame(), self._spark), count, copies, stamps)
        finally:
            found.release()


def _stamps(found: Any) -> Stamps:
    latest, oldest, newest = (
        _BEGINNING + timedelta(microseconds=micros) for micros in (found.latest(), found.oldest(), found.newest())
    )
    return Stamps(event_time_max=latest, kafka_time_min=oldest, kafka_time_max=newest)
