"""Which copy of an event counts. An event is told by topic, ``event_id`` and the UTC day of its time.

The contract says that the same id is the same event, so all its copies have the same topic and time, and looking for
a copy never needs more than one day of a table. Where a sender breaks the contract and uses an id again for another
day or topic, both rows are kept, and counted as reused ids.
"""

from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

IDENTITY: Final = ("topic", "event_id", "event_date")
COORDINATES: Final = ("topic", "partition", "offset")
# The copy that comes first in this order is the event.
ORDER: Final = ("kafka_time", "topic", "partition", "offset")


def order_of(prefix: str = "") -> Column:
    """The place of a row among its copies, comparable."""
    return F.struct(*(F.col(f"{prefix}{name}") for name in ORDER))


def with_date(events: DataFrame) -> DataFrame:
    """Conformed events with ``event_date``, the UTC day of their time."""
    return events.withColumn("event_date", F.to_date("event_time"))


def with_rank(dated: DataFrame) -> DataFrame:
    """Events with their place among those of the same id.

    Args:
        dated: Conformed events with ``event_date``.

    Returns:
        The same rows with ``copy``, where 1 is the copy that counts and larger ones repeat it; and ``use``, which is
        larger than 1 where the id named another event before.
    """
    copies = Window.partitionBy("event_id", "topic", "event_date").orderBy(*ORDER)
    uses = Window.partitionBy("event_id").orderBy("topic", "event_date")
    # One exchange and one sort serve both windows.
    rows = dated.repartition("event_id")
    return rows.withColumn("copy", F.row_number().over(copies)).withColumn("use", F.dense_rank().over(uses))


def first_copies(copies: DataFrame) -> DataFrame:
    """Of each event the first copy, with the columns of the input."""
    window = Window.partitionBy(*IDENTITY).orderBy(*ORDER)
    return copies.withColumn("copy", F.row_number().over(window)).where("copy = 1").select(*copies.columns)
