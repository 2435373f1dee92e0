"""Figures of engines and tables, from what they say of themselves, and as Prometheus reads them."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from include.config import Settings
from include.local.ports import find_free
from include.monitoring.engines import elasticsearch_counters, figures, kafka_counters, spark_counters
from include.monitoring.exporter import Exporter
from include.monitoring.tables import TableWrites
from include.names import Table
from include.serving.pipeline_health import HealthRecord

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
NODE = {
    "jvm": {
        "mem": {"heap_used_in_bytes": 400_000_000, "heap_max_in_bytes": 1_000_000_000},
        "gc": {"collectors": {"young": {"collection_time_in_millis": 300}, "old": {"collection_time_in_millis": 20}}},
    },
    "indices": {
        "search": {"query_total": 100, "query_time_in_millis": 500},
        "indexing": {"index_total": 1000, "index_time_in_millis": 200},
    },
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    [port] = find_free(1)
    return Settings(_env_file=None, platform_data_dir=tmp_path, prometheus_port=port)


@pytest.fixture
def exporter(settings: Settings) -> Iterator[Exporter]:
    with closing(Exporter(settings)) as shown:
        shown.start()
        yield shown


def test_counters_of_several_nodes_are_added_up() -> None:
    found = elasticsearch_counters({"nodes": {"a": NODE, "b": NODE}})

    assert (found["heap_used_mb"], found["gc_ms"], found["queries"], found["documents"]) == (800.0, 640.0, 200.0, 2000)


def test_the_brokers_heap_and_collectors_are_read_from_its_exporter() -> None:
    exposition = """\
# TYPE jvm_memory_used_bytes gauge
jvm_memory_used_bytes{area="heap"} 2.5E8
jvm_memory_used_bytes{area="nonheap"} 9.0E7
# TYPE jvm_memory_max_bytes gauge
jvm_memory_max_bytes{area="heap"} 5.0E8
# TYPE jvm_gc_collection_seconds summary
jvm_gc_collection_seconds_count{gc="G1 Young Generation"} 7
jvm_gc_collection_seconds_sum{gc="G1 Young Generation"} 0.03
jvm_gc_collection_seconds_sum{gc="G1 Old Generation"} 0.01
"""

    assert kafka_counters(exposition) == {"heap_used_mb": 250.0, "heap_max_mb": 500.0, "gc_ms": 40.0}


def test_a_drivers_heap_and_collectors_are_found_among_its_gauges() -> None:
    gauges: dict[str, Any] = {
        "local-1.driver.jvm.heap.used": {"value": 250_000_000},
        "local-1.driver.jvm.heap.max": {"value": 1_000_000_000},
        "local-1.driver.jvm.PS-Scavenge.time": {"value": 700},
        "local-1.driver.jvm.PS-MarkSweep.time": {"value": 50},
        "local-1.driver.jvm.PS-Scavenge.count": {"value": 9},
        "local-1.driver.BlockManager.memory.maxMem_MB": {"value": 400},
        "local-1.driver.jvm.name": {"value": "text"},
    }

    assert spark_counters({"gauges": gauges}) == {"heap_used_mb": 250.0, "heap_max_mb": 1000.0, "gc_ms": 750.0}


def test_counters_become_rates_since_the_look_before() -> None:
    before = {"heap_used_mb": 1, "heap_max_mb": 9, "gc_ms": 100, "queries": 10, "query_ms": 50}
    now = {"heap_used_mb": 2, "heap_max_mb": 9, "gc_ms": 600, "queries": 30, "query_ms": 130}

    assert figures(now, before, 10.0) == {
        "heap_used_mb": 2,
        "heap_max_mb": 9,
        "gc_share": 0.05,
        "queries_per_second": 2.0,
        "query_mean_ms": 4.0,
    }


@pytest.mark.parametrize("before", [{}, {"heap_used_mb": 1, "heap_max_mb": 9, "gc_ms": 900}])
def test_the_first_look_and_one_after_a_restart_have_levels_only(before: dict[str, float]) -> None:
    assert figures({"heap_used_mb": 2, "heap_max_mb": 9, "gc_ms": 600}, before, 10.0) == {
        "heap_used_mb": 2,
        "heap_max_mb": 9,
    }


def commit(settings: Settings, version: int, rows: int, size: int) -> None:
    log = Path(settings.table_path(Table.BRONZE_EVENTS)) / "_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    metrics = {"numOutputRows": str(rows), "numOutputBytes": str(size), "numFiles": "1"}
    lines = [{"commitInfo": {"operation": "WRITE", "operationMetrics": metrics}}, {"add": {"path": "x"}}]
    (log / f"{version:020d}.json").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")


def test_what_was_committed_since_the_look_before_is_told_per_second(settings: Settings) -> None:
    writes = TableWrites(settings)
    commit(settings, 0, 500, 9_000)
    assert list(writes.take(NOW, 0.0)) == []
    commit(settings, 1, 100, 2_000)
    commit(settings, 2, 300, 6_000)

    [record] = writes.take(NOW, 10.0)

    assert record.subject == "bronze.events"
    assert record.metrics == {"rows_per_second": 40.0, "bytes_per_second": 800.0, "commits": 2.0}
    assert list(writes.take(NOW, 10.0)) == []


def test_prometheus_reads_the_latest_figures(settings: Settings, exporter: Exporter) -> None:
    exporter.show([HealthRecord(NOW, "process", "kafka", "ok", None, {"cpu_cores": 9.0})])
    exporter.show(
        [
            HealthRecord(NOW, "process", "kafka", "failed", "is away", {"cpu_cores": 0.5}),
            HealthRecord(NOW, "process", "elasticsearch", "ok", None, {"cpu_cores": 0.25, "odd-name": 1.0}),
        ]
    )

    text = httpx.get(f"http://{settings.platform_bind_host}:{settings.prometheus_port}/metrics").text

    assert 'platform_up{kind="process",subject="kafka"} 0.0' in text
    assert 'platform_cpu_cores{kind="process",subject="kafka"} 0.5' in text
    assert 'platform_cpu_cores{kind="process",subject="elasticsearch"} 0.25' in text
    assert 'platform_odd_name{kind="process",subject="elasticsearch"} 1.0' in text
    assert "9.0" not in text
