"""Two minutes of a shop through the whole platform; every number is held against the simulator's own record."""

import base64
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.dataset as ds
import pytest
from elasticsearch import Elasticsearch
from kafka import KafkaConsumer

from include.config import PROJECT_ROOT, Settings
from include.contracts.validation import check
from include.handover.segments import ledger_of
from include.names import Alias, Topic
from include.serving.client import connect
from include.serving.scan import documents_of
from include.simulator.events import Fault
from include.supervision.spark_submit import settings_environment, spark_environment, spark_submit_command
from tests.integration.speed_layer_events import shelves_of
from tests.stack import stack

pytestmark = pytest.mark.timeout(900)

RATE, SECONDS = 100, 120
FAULTS = ["--duplicates", "0.05", "--late", "0.05", "--invalid", "0.05", "--out-of-order", "0.05"]


@dataclass(frozen=True)
class Platform:
    """What was run, and what it must say.

    Attributes:
        sent: Every message of the simulator.
        counted: Those that must be counted: valid, and each once.
    """

    settings: Settings
    sent: list[dict[str, Any]]
    counted: list[dict[str, Any]]

    def orders(self) -> list[dict[str, Any]]:
        """Placed orders."""
        return [row for row in self.counted if row["event_type"] == "order_placed"]


def platform_command(settings: Settings, *arguments: str) -> Any:
    """Run ``main.py`` as a user would; returns the JSON that it printed."""
    environment = {**os.environ, **settings_environment(settings)}
    done = subprocess.run(
        [sys.executable, "main.py", *arguments, "--json"],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"main.py {' '.join(arguments)}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
    return json.loads(done.stdout)


def drain(settings: Settings) -> None:
    """Run the whole speed layer over what is in Kafka, as a real Spark application."""
    job = PROJECT_ROOT / "spark_jobs" / "streaming" / "speed_layer.py"
    command = spark_submit_command(settings, job, "--once", profile="live", master="local[2]")
    done = subprocess.run(
        command,
        cwd=PROJECT_ROOT,
        env={**os.environ, **spark_environment(settings)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    said = "\n".join(line for line in done.stderr.splitlines() if " INFO " not in line)
    assert done.returncode == 0, said[-6000:]


def truth_of(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = ds.dataset(folder).to_table(filter=pc.field("acknowledged")).to_pylist()
    return rows


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with stack(elasticsearch_heap="512m", dedup_window_seconds=3600) as running:
        settings = running.settings
        truth = settings.platform_data_dir / "truth"
        start = (datetime.now(UTC) - timedelta(seconds=SECONDS)).isoformat()
        arguments = ["--rate", str(RATE), "--duration", f"{SECONDS}s", "--start", start, "--unpaced"]
        report = platform_command(
            settings, "start-producer", *arguments, *FAULTS, "--fraud", "0.02", "--truth", str(truth)
        )
        sent = truth_of(truth)
        assert report["sent"] == report["acknowledged"] == len(sent)
        drain(settings)
        counted = [row for row in sent if row["valid"] and not row["is_duplicate"]]
        yield Platform(settings, sent, counted)


@pytest.fixture(scope="module")
def search(platform: Platform) -> Iterator[Elasticsearch]:
    with connect(platform.settings) as client:
        client.indices.refresh(index=Alias.METRICS.value)
        yield client


def sums(client: Elasticsearch, dimension: str, by: str, *fields: str) -> dict[str, tuple[int, ...]]:
    """Sums of fields by a term, over everything behind the alias."""
    answer = client.search(
        index=Alias.METRICS.value,
        size=0,
        query={"term": {"dimension": dimension}},
        aggregations={
            "by": {
                "terms": {"field": by, "size": 10_000},
                "aggs": {field: {"sum": {"field": field}} for field in fields},
            }
        },
    )
    buckets = answer["aggregations"]["by"]["buckets"]
    found = {bucket["key"]: tuple(int(bucket[field]["value"]) for field in fields) for bucket in buckets}
    return {key: values for key, values in found.items() if any(values)}


def sales(orders: list[dict[str, Any]]) -> dict[str, tuple[int, ...]]:
    """Orders, items and cents by currency, from the truth."""
    by_currency: dict[str, list[int]] = {}
    for order in orders:
        numbers = by_currency.setdefault(order["currency"], [0, 0, 0])
        for place, value in enumerate((1, order["item_count"], order["total_minor"])):
            numbers[place] += value
    return {currency: tuple(numbers) for currency, numbers in by_currency.items()}


def dead_letters(settings: Settings) -> list[dict[str, Any]]:
    return [json.loads(message) for message in messages(settings, Topic.DEAD_LETTER)]


def messages(settings: Settings, topic: Topic) -> list[bytes]:
    consumer = KafkaConsumer(
        topic.value,
        bootstrap_servers=settings.bootstrap_servers,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        consumer_timeout_ms=5000,
    )
    try:
        return [record.value for record in consumer]
    finally:
        consumer.close()


def decoded(letter: dict[str, Any], field: str) -> bytes | None:
    """Bytes of the refused record; a field that it did not have is not in the letter."""
    return base64.b64decode(letter[field]) if field in letter else None


def test_the_truth_holds_every_kind_of_fault(platform: Platform) -> None:
    kinds = ("is_duplicate", "is_late", "is_out_of_order")
    assert all(any(row[kind] for row in platform.sent) for kind in kinds)
    assert {row["fault"] for row in platform.sent if not row["valid"]} == set(Fault)
    assert len(platform.sent) > RATE * SECONDS


def test_live_sales_equal_the_truth_to_the_cent(platform: Platform, search: Elasticsearch) -> None:
    found = sums(search, "all", "currency", "orders", "items", "revenue_minor")
    assert found == sales(platform.orders())


def test_live_events_are_counted_once_each_by_type(platform: Platform, search: Elasticsearch) -> None:
    wanted = Counter(row["event_type"] for row in platform.counted)
    found = sums(search, "event_type", "value", "events")
    assert {name: count for name, (count,) in found.items()} == wanted


def test_every_invalid_event_is_in_the_dead_letters_with_its_reason(platform: Platform) -> None:
    letters = dead_letters(platform.settings)
    invalid = [row for row in platform.sent if not row["valid"]]
    bytes_of = [decoded(letter, "value") for letter in letters]
    assert Counter(bytes_of) == Counter(row["invalid_value"] for row in invalid)
    for letter, value in zip(letters, bytes_of, strict=True):
        when = datetime.fromisoformat(letter["kafka_time"])
        expected = check(value, Topic(letter["topic"]), decoded(letter, "key"), when)
        assert expected is not None
        assert (letter["reason"], letter["field"]) == (expected.reason, expected.field)


def test_gold_and_the_handover_equal_the_truth_and_change_no_total(platform: Platform, search: Elasticsearch) -> None:
    """In one test, as each step builds on the one before."""
    before = sums(search, "all", "currency", "orders", "items", "revenue_minor")
    report = platform_command(platform.settings, "process-batch", "--full")
    assert sum(report["silver"]["written"].values()) == len(platform.counted)
    assert sum(report["silver"]["duplicates"].values()) == sum(row["valid"] for row in platform.sent) - len(
        platform.counted
    )
    # A driver that runs on seals by itself when a handover asks; this one drains and ends.
    ledger_of(platform.settings).request_seal()
    drain(platform.settings)
    run = platform_command(platform.settings, "handover")
    assert run["step"] in ("switched", "done")
    search.indices.refresh(index=Alias.METRICS.value)
    layers = sums(search, "all", "layer", "events")
    assert layers == {"batch": (len(platform.counted),)}
    assert sums(search, "all", "currency", "orders", "items", "revenue_minor") == before == sales(platform.orders())


def test_everything_searchable_is_there_once_and_the_stock_is_the_truths(
    platform: Platform, search: Elasticsearch
) -> None:
    wanted = {row["event_id"] for row in platform.counted if row["topic"] in (Topic.PURCHASES, Topic.CUSTOMER_FEEDBACK)}
    search.indices.refresh(index="_all")
    assert {document.id for document in documents_of(search, Alias.EVENTS.value)} == wanted
    levels = {document.id: document.source["level"] for document in documents_of(search, Alias.INVENTORY.value)}
    assert levels == shelves_of(platform.counted)
    raised = {json.loads(message)["alert_id"] for message in messages(platform.settings, Topic.FRAUD_ALERTS)}
    assert {document.id for document in documents_of(search, Alias.FRAUD_ALERTS.value)} == raised != set()


def test_the_audit_agrees_with_the_truth_to_the_event(platform: Platform) -> None:
    found = platform_command(platform.settings, "audit", "--days", "8")
    counts = found["counts"]
    assert (found["status"], found["findings"]) == ("ok", [])
    assert counts["kafka_records"] == counts["bronze_records"] == len(platform.sent)
    assert counts["refused_records"] == sum(not row["valid"] for row in platform.sent)
    assert counts["bronze_ids"] == counts["silver_ids"] == counts["silver_records"] == len(platform.counted)


def test_the_key_figures_say_the_same(platform: Platform) -> None:
    figures = platform_command(platform.settings, "kpis", "--minutes", "1440")
    assert figures
