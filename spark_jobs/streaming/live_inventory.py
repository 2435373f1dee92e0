"""Kafka to the alias ``inventory`` and the topic ``platform-alerts``: how much of each product each warehouse has.

    spark-submit --properties-file spark_jobs/conf/live.conf spark_jobs/streaming/live_inventory.py [--once]

Stock is the latest count of a shelf plus the movements after it: goods that arrived or broke, and sales, which only
orders tell. All of it goes by the time at which things happened, whenever the news arrives. Spark makes one row for
each shelf out of a micro-batch; the driver merges it into what it knows of that shelf (``include.stock.shelf``): a
union of sets, so that a copy, another order, or a micro-batch that is repeated after a crash change nothing.

- A movement at the very millisecond of a count is in the count. A movement older than the count is in it, too.
- A copy is known by its id as long as its movement is after the count, and of no effect afterwards: there is no window
  within which copies must arrive.
- A shelf that is not counted for 2,000 movements is taken as counted at the older half of them.
- What was never counted has no document: nobody knows how much is there.

What is known is kept in ``shelves.sqlite`` within the checkpoint, with the alerts that were not sent yet. Alerts are
sent when the state of a shelf changes; after a crash they may be sent again, with the same id.
"""

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql.streaming import StreamingQuery

from include.names import Alias, Query, Topic
from include.serving.bulk import Document, bulk_writer
from include.stock.rules import StockRules, load_rules
from include.stock.shelf import Shelf, Stock, shelf_from
from include.stock.shelves import Changes, Place, Shelves
from spark_jobs.io import Stream, read, write
from spark_jobs.streaming.documents import send, stamped
from spark_jobs.streaming.driver import Running, main
from spark_jobs.transforms.parse import parse_events, valid_events
from spark_jobs.transforms.stock import shelves_seen

logger = logging.getLogger(__name__)

# What one micro-batch takes when it has to catch up. No watermark here minds partitions that drift apart.
_MAX_RECORDS: Final = 500_000


class InventorySink:
    """Merges micro-batches into the shelves, and tells of those that changed."""

    def __init__(self, running: Running, rules: StockRules, shelves: Shelves) -> None:
        self._running = running
        self._rules = rules
        self._shelves = shelves
        self._bulk = bulk_writer(running.settings, stop=running.stop)
        running.ending.callback(self._bulk.close)

    def write(self, events: DataFrame, batch_id: int) -> None:
        """Write one micro-batch; writing it again changes nothing."""
        running = self._running
        rows = shelves_seen(events, self._rules).collect()
        seen = {Place(row[0], row[1]): shelf_from(row[2]) for row in rows if row[1]}
        running.leases[Query.LIVE_INVENTORY].require()
        changes = self._shelves.take_in(seen, self._rules)
        documents = stamped(documents_of(changes), None, datetime.now(UTC))
        if documents:
            send(running.spark, running.settings, self._bulk, Alias.INVENTORY, documents)
        alerts = self._tell()
        logger.info(
            "query=live_inventory batch=%s shelves=%s documents=%s alerts=%s products_sold_elsewhere=%s",
            *(batch_id, len(seen), len(documents), alerts, len(rows) - len(seen)),
        )

    def _tell(self) -> int:
        alerts = self._shelves.unsent()
        if alerts:
            rows = [(alert.key, alert.model_dump_json()) for alert in alerts]
            messages = self._running.spark.createDataFrame(rows, "key string, value string").coalesce(1)
            write(messages, Topic.PLATFORM_ALERTS, self._running.settings)
            self._shelves.mark_sent(alerts)
        return len(alerts)


def documents_of(changes: Changes) -> Sequence[Document]:
    """Documents of the shelves that a micro-batch changed, without stamps."""
    return [
        _document(place, shelf, stock, changes.version) for place, (shelf, stock) in changes.shelves.items() if stock
    ]


def _document(place: Place, shelf: Shelf, stock: Stock, version: int) -> Document:
    action = {"_id": ":".join(place), "version": version, "version_type": "external_gte"}
    source = {
        **place._asdict(),
        "category": shelf.category,
        "level": stock.level,
        "status": stock.status,
        "hours_left": stock.hours_left,
        "sold_per_hour": stock.sold_per_hour,
        "threshold": stock.threshold,
        "counted_at": shelf.counted.counted_at if shelf.counted else None,
        "layer": "speed",
        "version": version,
        "event_time": shelf.newest,
        "kafka_time": shelf.kafka_time,
    }
    return Document(json.dumps({"index": action}), json.dumps(source))


def start(running: Running) -> StreamingQuery:
    """Start the query."""
    settings = running.settings
    rules = load_rules(settings.stock_rules_file)
    shelves = Shelves(Path(settings.checkpoint_path(Query.LIVE_INVENTORY)))
    shelves.require()
    options = {"maxOffsetsPerTrigger": str(_MAX_RECORDS)}
    records = read(running.spark, [Topic.INVENTORY_UPDATES, Topic.PURCHASES], settings, stream=True, options=options)
    query = write(
        valid_events(parse_events(records)),
        InventorySink(running, rules, shelves).write,
        settings,
        stream=Stream(Query.LIVE_INVENTORY, running.every(Query.LIVE_INVENTORY)),
    )
    assert query is not None
    return query


if __name__ == "__main__":
    main("live-inventory", {Query.LIVE_INVENTORY: start})
