"""Vectors of Kafka offsets as conditions on rows: per topic and partition, the first offset that lies after it."""

from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from include.handover.checkpoint import Offsets


def _any(conditions: list[Column]) -> Column:
    return reduce(lambda left, right: left | right, conditions, F.lit(False))


def _partition(topic: str, partition: int) -> Column:
    return (F.col("topic") == topic) & (F.col("partition") == partition)


def before(vector: Offsets) -> Column:
    """Whether a row lies before the vector; rows of partitions that it does not name do not."""
    return _any(
        [
            _partition(topic, partition) & (F.col("offset") < end)
            for topic, partitions in sorted(vector.items())
            for partition, end in sorted(partitions.items())
        ]
    )


def within(start: Offsets, end: Offsets) -> Column:
    """Whether a row lies before ``end`` but not before ``start``; written so that Delta can skip files by it."""
    return _any(
        [
            _partition(topic, partition)
            & (F.col("offset") >= start.get(topic, {}).get(partition, 0))
            & (F.col("offset") < last)
            for topic, partitions in sorted(end.items())
            for partition, last in sorted(partitions.items())
        ]
    )
