"""Literal events as rows of bronze, for the tests of the batch layer."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from include.config import Settings
from include.names import Table, Topic
from spark_jobs.io import write

BRONZE = (
    "topic string, partition int, offset long, kafka_time timestamp, key binary, value binary, "
    "headers array<struct<key:string,value:binary>>, arrival_date date"
)
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Record:
    """One Kafka record; times are seconds after noon of 10 March 2026."""

    topic: Topic
    offset: int
    event: dict[str, Any]
    at: float = 0.0
    partition: int = 0
    raw: bytes | None = None

    def row(self) -> tuple[Any, ...]:
        moment = NOON + timedelta(seconds=self.at)
        key = self.event.get("product_id" if self.topic is Topic.INVENTORY_UPDATES else "user_id", "")
        value = self.raw if self.raw is not None else json.dumps(self.event).encode()
        return (self.topic.value, self.partition, self.offset, moment, key.encode(), value, [], moment.date())

    def again(self, offset: int, at: float, partition: int = 0, **changes: Any) -> "Record":
        """The same event sent once more, perhaps with another content."""
        return replace(self, offset=offset, at=at, partition=partition, event={**self.event, **changes})


def _envelope(name: str, kind: str, happened: float) -> dict[str, Any]:
    moment = NOON + timedelta(seconds=happened)
    return {
        "event_id": f"{name:_<8}",
        "event_type": kind,
        "event_time": moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z",
        "schema_version": 1,
    }


def order(name: str, offset: int, total: str = "10.00", *, happened: float = 0, at: float = 0, **more: Any) -> Record:
    """An order of one mug by ann, sent to Germany."""
    partition = more.pop("partition", 0)
    event = {
        **_envelope(name, "order_placed", happened),
        "order_id": f"order-{name}",
        "user_id": "ann",
        "items": [{"product_id": "mug", "category": "kitchen", "quantity": 1, "amount": total}],
        "currency": "EUR",
        "total": total,
        "payment": {"method": "card", "card_id": "card-1"},
        "shipping_country": "DE",
        "billing_country": "DE",
        "device": {"device_id": "phone-1", "device_type": "mobile"},
        **more,
    }
    return Record(Topic.PURCHASES, offset, event, at=at, partition=partition)


def visit(name: str, offset: int, kind: str = "session_start", *, happened: float = 0, at: float = 0) -> Record:
    """Something that ann does in the shop."""
    event = {
        **_envelope(name, kind, happened),
        "user_id": "ann",
        "session_id": "session-1",
        "device": {"device_id": "phone-1", "device_type": "mobile"},
        "country": "DE",
    }
    return Record(Topic.USER_EVENTS, offset, event, at=at)


def archive(spark: SparkSession, settings: Settings, records: Iterable[Record]) -> None:
    """Append records to bronze, as one version of the table."""
    rows = spark.createDataFrame([record.row() for record in records], BRONZE).coalesce(1)
    write(rows, Table.BRONZE_EVENTS, settings, partition_by=["arrival_date"])


def lake_in(folder: Path, **settings: Any) -> Settings:
    """Settings of a platform of its own."""
    return Settings(_env_file=None, platform_data_dir=folder, **settings)
