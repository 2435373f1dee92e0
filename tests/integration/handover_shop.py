"""The platform around a handover: bronze, a speed layer driven by hand, a real Elasticsearch."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch
from pyspark.sql import SparkSession

from include.config import Settings
from include.handover.handover import Handover
from include.handover.live_segments import LiveSegments
from include.handover.runs import HandoverRun
from include.handover.segments import ledger_path
from include.names import Alias
from include.serving.aliases import create_index, indices_of
from include.serving.bulk import bulk_writer
from include.serving.client import connect
from include.serving.indices import install
from spark_jobs.batch import handover as handover_job
from spark_jobs.streaming.documents import collect
from spark_jobs.streaming.live_metrics import additive_documents, of_batch
from spark_jobs.transforms.metrics import additive_metrics
from spark_jobs.transforms.parse import parse_events, valid_events
from tests.spark.bronze_rows import BRONZE, Record, archive

DAY = 86_400
WINDOW = 600.0


@dataclass
class Shop:
    """The platform around a handover: bronze, and a speed layer that is driven by hand, one micro-batch at a time."""

    spark: SparkSession
    settings: Settings
    client: Elasticsearch
    batch: int = 0
    ends: dict[str, dict[int, int]] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)

    @property
    def checkpoint(self) -> Path:
        return self.settings.platform_data_dir / "checkpoint"

    @property
    def segments(self) -> LiveSegments:
        return LiveSegments(ledger_path(self.settings), self.checkpoint)

    def receive(self, *records: Record) -> None:
        """Archive records, and show them live as one micro-batch."""
        archive(self.spark, self.settings, records)
        for record in records:
            partitions = self.ends.setdefault(record.topic.value, {})
            partitions[record.partition] = max(partitions.get(record.partition, 0), record.offset + 1)
        self._log("offsets", "v1\n{}\n" + json.dumps(self.ends))
        segment = self.segments.segment_of(self.batch)
        create_index(self.client, segment.index, behind=Alias.METRICS)
        rows = self.spark.createDataFrame([record.row() for record in records if self._is_new(record)], BRONZE)
        metrics = additive_metrics(valid_events(parse_events(rows)), 10)
        documents = of_batch(collect(additive_documents(metrics)), segment, self.batch)
        writer = bulk_writer(self.settings)
        assert writer.send(segment.index, documents).refused == ()
        writer.close()
        self._log("commits", "v1\n{}")
        self.batch += 1

    def show_phantom(self, index: str) -> None:
        """Show an order of seven cents that nobody has sent."""
        phantom = {"window_start": "2026-03-10T12:00:00Z", "window_seconds": 10, "dimension": "all", "value": "all"}
        self.client.index(index=index, document={**phantom, "currency": "EUR", "orders": 1, "revenue_minor": 7})

    def _is_new(self, record: Record) -> bool:
        first = self.seen.get(record.event["event_id"])
        if first is not None and record.at - first < WINDOW:
            return False
        self.seen[record.event["event_id"]] = record.at
        return True

    def _log(self, kind: str, text: str) -> None:
        path = self.checkpoint / kind / str(self.batch)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def seal(self) -> None:
        self.segments.request_seal()
        self.segments.seal_when_idle()

    def handover(self) -> Handover:
        return Handover(
            self.settings,
            self.client,
            lambda folder: void(handover_job.recompute(self.spark, self.settings, folder)),
        )

    def hand_over(self, **options: Any) -> HandoverRun:
        self.seal()
        run = self.handover().run(**options)
        assert run is not None
        return run

    def total(self) -> tuple[int, int]:
        """Orders and revenue in cents behind the alias, once what was written is visible."""
        self.client.indices.refresh(index=Alias.METRICS)
        return shown(self.client)


def void(_: object) -> None:
    return None


def shown(client: Elasticsearch) -> tuple[int, int]:
    sums = {name: {"sum": {"field": name}} for name in ("orders", "revenue_minor")}
    answer = client.search(index=Alias.METRICS, size=0, query={"term": {"dimension": "all"}}, aggregations=sums)
    return int(answer["aggregations"]["orders"]["value"]), int(answer["aggregations"]["revenue_minor"]["value"])


@contextmanager
def open_shop(spark: SparkSession, elasticsearch: Settings, folder: Path) -> Iterator[Shop]:
    """A shop in a folder of its own, with nothing behind the alias."""
    settings = elasticsearch.model_copy(
        update={"platform_data_dir": folder, "handover_seal_seconds": 0, "handover_archive_seconds": 0}
    )
    with connect(settings, timeout_seconds=60) as client:
        # The server is shared: other tests leave documents behind the same alias.
        if left := indices_of(client, Alias.METRICS):
            client.indices.delete(index=left)
        install(client)
        (folder / "checkpoint").mkdir()
        (folder / "checkpoint" / "metadata").write_text('{"id": "query-1"}', encoding="utf-8")
        yield Shop(spark, settings, client)
        client.indices.delete(index=indices_of(client, Alias.METRICS))
