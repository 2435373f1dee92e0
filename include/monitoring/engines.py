"""What the JVMs do beside their work, and how long queries take: broker, Elasticsearch, drivers of the streams."""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import httpx
from elasticsearch import Elasticsearch
from prometheus_client.parser import text_string_to_metric_families

from include.config import Settings
from include.names import Part
from include.serving.pipeline_health import HealthRecord
from include.supervision.shares import PARTS
from include.supervision.speed_layer import ui_port

logger = logging.getLogger(__name__)

_PATIENCE_SECONDS: Final = 3.0
# Spark names its gauges "<application>.driver.jvm.heap.used".
_JVM: Final = ".driver.jvm."


class Engines:
    """One observer: most figures are counters, so it remembers the look before."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._before: dict[str, Mapping[str, float]] = {}

    def take(self, time: datetime, client: Elasticsearch, seconds: float) -> Iterator[HealthRecord]:
        """One record for each engine that answers; one that does not is told by its part's own record.

        Args:
            time: Moment of the look.
            client: Connection to Elasticsearch.
            seconds: Since the look before; 0 when there was none.
        """
        found = elasticsearch_counters(client.nodes.stats(metric=["jvm", "indices"]).body)
        yield self._record(time, Part.ELASTICSEARCH, found, seconds)
        for part, url in self._addresses():
            try:
                answer = httpx.get(url, timeout=_PATIENCE_SECONDS, follow_redirects=True).raise_for_status()
            except httpx.HTTPError as error:
                logger.debug("no figures of part=%s reason=%s", part, error)
                continue
            read = kafka_counters(answer.text) if part is Part.KAFKA else spark_counters(answer.json())
            yield self._record(time, part, read, seconds)

    def _addresses(self) -> Iterator[tuple[Part, str]]:
        settings = self._settings
        # Somebody else's brokers have an exporter of their own, or none.
        if settings.kafka_bootstrap_servers is None:
            yield Part.KAFKA, f"http://{settings.platform_bind_host}:{settings.kafka_metrics_port}/metrics"
        for share, part in PARTS.items():
            yield part, f"http://{settings.driver_host}:{ui_port(settings, share)}/metrics/json"

    def _record(self, time: datetime, part: Part, now: Mapping[str, float], seconds: float) -> HealthRecord:
        before, self._before[part] = self._before.get(part, {}), now
        return HealthRecord(time, "jvm", part, "ok", None, figures(now, before, seconds))


def elasticsearch_counters(stats: Mapping[str, Any]) -> dict[str, float]:
    """Sums over all nodes of what ``_nodes/stats`` says."""
    nodes = list(stats["nodes"].values())

    def total(*path: str) -> float:
        return float(sum(_at(node, path) for node in nodes))

    collectors = [one for node in nodes for one in node["jvm"]["gc"]["collectors"].values()]
    return {
        "heap_used_mb": total("jvm", "mem", "heap_used_in_bytes") / 1e6,
        "heap_max_mb": total("jvm", "mem", "heap_max_in_bytes") / 1e6,
        "gc_ms": float(sum(one["collection_time_in_millis"] for one in collectors)),
        "queries": total("indices", "search", "query_total"),
        "query_ms": total("indices", "search", "query_time_in_millis"),
        "documents": total("indices", "indexing", "index_total"),
        "indexing_ms": total("indices", "indexing", "index_time_in_millis"),
    }


def _at(node: Mapping[str, Any], path: tuple[str, ...]) -> float:
    found: Any = node
    for name in path:
        found = found[name]
    return float(found)


def spark_counters(metrics: Mapping[str, Any]) -> dict[str, float]:
    """What a driver's ``/metrics/json`` says of its JVM."""
    jvm = {
        name.partition(_JVM)[2]: float(gauge["value"])
        for name, gauge in metrics["gauges"].items()
        if _JVM in name and isinstance(gauge["value"], int | float)
    }
    collectors = [value for name, value in jvm.items() if name.count(".") == 1 and name.endswith(".time")]
    return {
        "heap_used_mb": jvm.get("heap.used", 0.0) / 1e6,
        "heap_max_mb": jvm.get("heap.max", 0.0) / 1e6,
        "gc_ms": sum(collectors),
    }


def kafka_counters(exposition: str) -> dict[str, float]:
    """What the broker's exporter says of its JVM, in Prometheus' text format."""
    samples = [sample for family in text_string_to_metric_families(exposition) for sample in family.samples]

    def total(name: str, **labels: str) -> float:
        return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())

    return {
        "heap_used_mb": total("jvm_memory_used_bytes", area="heap") / 1e6,
        "heap_max_mb": total("jvm_memory_max_bytes", area="heap") / 1e6,
        "gc_ms": total("jvm_gc_collection_seconds_sum") * 1000,
    }


def figures(now: Mapping[str, float], before: Mapping[str, float], seconds: float) -> dict[str, float]:
    """Levels as they are, counters as rates since the look before.

    Returns:
        ``heap_used_mb`` and ``heap_max_mb``; then, when there was a look before, ``gc_share`` of the time, and of
        Elasticsearch queries and documents per second with the mean milliseconds of each.
    """
    found = {name: round(now[name], 1) for name in ("heap_used_mb", "heap_max_mb")}
    if not seconds or not before or now["gc_ms"] < before["gc_ms"]:
        return found
    found["gc_share"] = round((now["gc_ms"] - before["gc_ms"]) / 1000 / seconds, 4)
    for count, spent, mean in (("queries", "query_ms", "query_mean_ms"), ("documents", "indexing_ms", "index_mean_ms")):
        if count in now:
            done = now[count] - before[count]
            found[f"{count}_per_second"] = round(done / seconds, 1)
            found[mean] = round((now[spent] - before[spent]) / done, 2) if done else 0.0
    return found
