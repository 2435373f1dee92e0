"""The dashboard ``Pipeline health``: how far behind, how busy and how full each part is."""

from typing import Final

from grafana_foundation_sdk.models.dashboard import Dashboard

from include.dashboards import looks, queries

UID: Final = "pipeline-health"
_NONE: Final = "Nothing was observed in this range: is monitoring running?"
_GOOD: Final = "Nothing failed in this range"


def _level(
    title: str, description: str, kind: str, metric: str, unit: str, how: queries.Kind = "max"
) -> looks.AnyPanel:
    lucene = f"kind:{kind} AND _exists_:metrics.{metric}"
    target = queries.over_time(queries.HEALTH, how, f"metrics.{metric}", lucene, by="subject", interval="30s")
    panel = looks.lines(title, description, target, queries.HEALTH, "subject")
    return panel.unit(unit).no_value(_NONE).span(12).height(8)


def build() -> Dashboard:
    """The whole dashboard."""
    failed = queries.by_term(queries.HEALTH, "count", "", "status:failed", by="subject")
    degraded = queries.by_term(queries.HEALTH, "count", "", "status:degraded", by="subject")
    panels: list[looks.AnyPanel] = [
        looks.bars("Failed", "Observations that said failed, by what was observed.", failed, queries.HEALTH)
        .thresholds(looks.thresholds((None, "red")))
        .no_value(_GOOD)
        .span(12)
        .height(8),
        looks.bars("Degraded", "Observations that said degraded, by what was observed.", degraded, queries.HEALTH)
        .thresholds(looks.thresholds((None, "orange")))
        .no_value(_GOOD)
        .span(12)
        .height(8),
        _level("Lag by stream", "Records that wait at the broker.", "stream", "lag", "locale"),
        _level("Micro-batch by stream", "How long a micro-batch took.", "stream", "batch_ms", "ms", "avg"),
        _level("Age of numbers", "How old the newest of each view is.", "freshness", "age_seconds", "s"),
        _level("Answers", "How long the platform's own questions took.", "query", "response_ms", "ms", "avg"),
        _level("Memory by part", "Resident memory, children included.", "process", "memory_mb", "decmbytes"),
        _level("Processor by part", "Cores used, children included.", "process", "cpu_cores", "none", "avg"),
        _level("Heap by engine", "Heap in use.", "jvm", "heap_used_mb", "decmbytes"),
        _level("Garbage collection", "Share of the time.", "jvm", "gc_share", "percentunit"),
        _level("Disk", "How full the disk of the data folder is.", "machine", "disk_used_percent", "percent"),
        _level("Rows written by table", "Rows a second, by table.", "table_writes", "rows_per_second", "locale", "avg"),
    ]
    return looks.board("Pipeline health", UID, "What the platform observes of itself.", "platform", panels)
