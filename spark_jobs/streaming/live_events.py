"""Kafka to the aliases ``events`` and ``fraud-alerts``: orders, reviews and suspicions, for everyone who searches.

    spark-submit --properties-file spark_jobs/conf/live.conf spark_jobs/streaming/live_events.py [--once]

A document's id is the event's or the alert's own, and what is there already is kept: copies and repeated micro-batches
add nothing. What users do in the shop is most of all events; it has a query of its own, ``live_user_events``, that runs
when ``SEARCH_USER_EVENTS`` is on. Switched on later it begins with the oldest events that Kafka still holds.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql.streaming import StreamingQuery

from include.names import Alias, Query, Topic
from include.serving.bulk import Document, Refusal, bulk_writer
from spark_jobs.io import Stream, read, write
from spark_jobs.streaming.documents import bury, send, stamped
from spark_jobs.streaming.driver import Running, main
from spark_jobs.transforms.event_documents import searchable
from spark_jobs.transforms.parse import parse_events

logger = logging.getLogger(__name__)

# What one micro-batch brings to the driver when it has to catch up. No watermark here minds how partitions drift apart.
_MAX_RECORDS: Final = 50_000
_NO_ALERT: Final = "no fraud alert: it has no alert_id"


class SearchSink:
    """Writes documents of micro-batches into the aliases that they are meant for."""

    def __init__(self, running: Running, query: Query) -> None:
        self._running = running
        self._query = query
        self._bulk = bulk_writer(running.settings, stop=running.stop)
        running.ending.callback(self._bulk.close)

    def write(self, documents: DataFrame, batch_id: int) -> None:
        """Write one micro-batch; writing it again changes nothing."""
        running, now = self._running, datetime.now(UTC)
        running.leases[self._query].require()
        rows = documents.collect()
        events = [Document(row.action, row.source) for row in rows if row["index"] == Alias.EVENTS]
        alerts = [Document(row.action, row.source) for row in rows if row["index"] == Alias.FRAUD_ALERTS and row.action]
        foreign = [Document("", row.source) for row in rows if not row.action]
        counts = self._send(Alias.EVENTS, stamped(events, None, now))
        # An alert says itself when its rule was checked.
        alert_counts = self._send(Alias.FRAUD_ALERTS, stamped(alerts, None, None))
        if foreign:
            refused = [Refusal(document, 0, _NO_ALERT) for document in foreign]
            bury(running.spark, running.settings, Alias.FRAUD_ALERTS, refused)
        logger.info(
            "query=%s batch=%s events=%s known=%s alerts=%s known_alerts=%s no_alerts=%s",
            *(self._query, batch_id, *counts, *alert_counts, len(foreign)),
        )

    def _send(self, alias: Alias, documents: Sequence[Document]) -> tuple[int, int]:
        if not documents:
            return 0, 0
        result = send(self._running.spark, self._running.settings, self._bulk, alias, documents)
        return result.written, result.superseded


def _start(running: Running, query: Query, topics: Sequence[Topic]) -> StreamingQuery:
    options = {"maxOffsetsPerTrigger": str(_MAX_RECORDS)}
    records = read(running.spark, topics, running.settings, stream=True, options=options)
    started = write(
        searchable(parse_events(records)),
        SearchSink(running, query).write,
        running.settings,
        stream=Stream(query, running.every(query)),
    )
    assert started is not None
    return started


def start(running: Running) -> StreamingQuery:
    """Start the query of orders, reviews and suspicions."""
    return _start(running, Query.LIVE_EVENTS, [Topic.PURCHASES, Topic.CUSTOMER_FEEDBACK, Topic.FRAUD_ALERTS])


def start_user_events(running: Running) -> StreamingQuery:
    """Start the query of user events."""
    return _start(running, Query.LIVE_USER_EVENTS, [Topic.USER_EVENTS])


if __name__ == "__main__":
    main("live-events", {Query.LIVE_EVENTS: start})
