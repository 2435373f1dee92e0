"""Kafka to ``bronze.events``: every record that was received, byte for byte, exactly once.

    spark-submit --properties-file spark_jobs/conf/live.conf spark_jobs/streaming/bronze_archive.py [--once]

Delta keeps the number of the query's last micro-batch with the data, in one commit: a repeated micro-batch is left out.
Small batches at a steady pace disturb the live queries less than rare large ones; the files are joined by the batch
layer's compaction.
"""

from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.streaming import StreamingQuery

from include.names import RAW_TOPICS, Query, Table
from spark_jobs.alone import alone
from spark_jobs.io import Stream, each_once, read, write
from spark_jobs.streaming.driver import Running, main

# Records in one file at most, and what one micro-batch takes when it has to catch up. Nothing here depends on how far
# partitions have drifted apart, so a limit is harmless.
_MAX_RECORDS: Final = 500_000


class ArchiveSink:
    """Appends micro-batches to the table, each once."""

    def __init__(self, running: Running) -> None:
        self._running = running

    def write(self, rows: DataFrame, batch_id: int) -> None:
        """Append one micro-batch; a repeated one is left out."""
        lease, settings = self._running.leases[Query.BRONZE_ARCHIVE], self._running.settings
        lease.require()
        once = each_once(settings, Query.BRONZE_ARCHIVE, batch_id)
        # Whoever rewrites rows, to erase a person, must not be overtaken again and again.
        with alone(settings, Table.BRONZE_EVENTS):
            write(rows, Table.BRONZE_EVENTS, settings, partition_by=["arrival_date"], options=once)


def start(running: Running) -> StreamingQuery:
    """Start the query."""
    records = read(
        running.spark,
        RAW_TOPICS,
        running.settings,
        stream=True,
        options={"maxOffsetsPerTrigger": str(_MAX_RECORDS)},
    )
    query = write(
        records.select("*", F.to_date("kafka_time").alias("arrival_date")).coalesce(1),
        ArchiveSink(running).write,
        running.settings,
        stream=Stream(Query.BRONZE_ARCHIVE, running.every(Query.BRONZE_ARCHIVE)),
    )
    assert query is not None
    return query


if __name__ == "__main__":
    main("bronze-archive", {Query.BRONZE_ARCHIVE: start})
