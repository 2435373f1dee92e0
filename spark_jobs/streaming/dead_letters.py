"""Kafka to ``bronze.rejected`` and the topic ``dead-letter``: every record that breaks its contract, with the reason.

    spark-submit --properties-file spark_jobs/conf/live.conf spark_jobs/streaming/dead_letters.py [--once]

The table takes each micro-batch once, by its number. Kafka has no such memory: a micro-batch that is repeated after a
crash sends its letters again, with the same key ``topic-partition-offset``, by which a reader knows a letter again.
"""

import logging

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.streaming import StreamingQuery

from include.names import RAW_TOPICS, Query, Table, Topic
from spark_jobs.alone import alone
from spark_jobs.io import Stream, each_once, read, write
from spark_jobs.streaming.driver import Running, main
from spark_jobs.transforms.parse import parse_events, rejected_events

logger = logging.getLogger(__name__)


def letters(rejected: DataFrame) -> DataFrame:
    """Rows of ``bronze.rejected`` as messages for the topic."""
    content = F.struct(
        "topic",
        "partition",
        "offset",
        "kafka_time",
        F.base64("key").alias("key"),
        F.base64("value").alias("value"),
        "stage",
        "reason",
        "field",
        "expected",
        "found",
        "contract",
        "rejected_at",
    )
    key = F.concat_ws("-", "topic", F.col("partition").cast("string"), F.col("offset").cast("string"))
    return rejected.select(key.alias("key"), F.to_json(content).alias("value"))


class DeadLetterSink:
    """Writes the rejected records of micro-batches."""

    def __init__(self, running: Running) -> None:
        self._running = running

    def write(self, rejected: DataFrame, batch_id: int) -> None:
        """Write one micro-batch: to the topic, then to the table, which takes it once."""
        lease, settings = self._running.leases[Query.DEAD_LETTERS], self._running.settings
        lease.require()
        kept = rejected.coalesce(1).persist()
        try:
            count = kept.count()
            self._running.counts.count_rejected(count)
            if not count:
                return
            write(letters(kept), Topic.DEAD_LETTER, settings)
            once = each_once(settings, Query.DEAD_LETTERS, batch_id)
            with alone(settings, Table.BRONZE_REJECTED):
                write(kept, Table.BRONZE_REJECTED, settings, partition_by=["arrival_date"], options=once)
            logger.info("query=dead_letters batch=%s rejected=%s", batch_id, count)
        finally:
            kept.unpersist()


def start(running: Running) -> StreamingQuery:
    """Start the query."""
    records = read(running.spark, RAW_TOPICS, running.settings, stream=True)
    query = write(
        rejected_events(parse_events(records, ["event_id"])),
        DeadLetterSink(running).write,
        running.settings,
        stream=Stream(Query.DEAD_LETTERS, running.every(Query.DEAD_LETTERS)),
    )
    assert query is not None
    return query


if __name__ == "__main__":
    main("dead-letters", {Query.DEAD_LETTERS: start})
