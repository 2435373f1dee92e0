"""A sample of each kind of alert, to see what receivers will see."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from include.alerting.alert import Alert, Kind, Link, Severity
from include.config import Settings

_C, _W, _I = Severity.CRITICAL, Severity.WARNING, Severity.INFO

_TEXTS: Final[Mapping[Kind, tuple[Severity, str, str, dict[str, Any]]]] = {
    Kind.TASK_FAILED: (_C, "airflow", "Task silver of batch_recompute failed", {"error": "OutOfMemoryError", "try": 3}),
    Kind.DAG_FAILED: (_C, "airflow", "DAG compact_tables failed", {"reason": "task_failure"}),
    Kind.STREAM_HEALTH: (_C, "speed-layer", "live_metrics stands still", {"lag": 48_200, "last progress": "74 s ago"}),
    Kind.FRESHNESS: (_W, "monitoring", "metrics are 95 s old", {"allowed": "60 s", "found": "95 s"}),
    Kind.DEADLINE: (_W, "airflow", "DAG data_quality missed its deadline", {"due": "06:30 UTC"}),
    Kind.FRAUD: (_W, "fraud", "Suspected fraud: card testing by u-1042", {"orders": 14, "minutes": 3}),
    Kind.STOCK: (_W, "inventory", "p-207 sells out in 2 h", {"level": 11, "sold per hour": "5.4"}),
    Kind.DATA_QUALITY: (_C, "data-quality", "silver.purchases breaks 1 expectation", {"failed": "total >= 0: 3 rows"}),
    Kind.DRIFT: (_C, "handover", "Speed and batch differ in 2 windows", {"ratio": "0.0004", "kept": "the old view"}),
    Kind.AUDIT: (_I, "audit", "User ops acknowledged an alert", {"from": "Platform page"}),
    Kind.REPORT: (_I, "report", "Daily report: Tuesday, 24 November 2026", {"Orders": "1,204 (+3.1%)"}),
    Kind.RESOURCES: (_W, "monitoring", "The data folder's disk is 91 % full", {"free": "2.1 GB"}),
}


def samples(settings: Settings) -> list[Alert]:
    """One alert of each kind; each call makes incidents of its own."""
    call = uuid4().hex[:8]
    now = datetime.now(UTC)
    return [
        Alert(
            source=source,
            kind=kind,
            severity=severity,
            subject=f"[sample] {subject}",
            key=f"sample/{kind}/{call}",
            evidence=evidence,
            links=(Link(label="Airflow", url=settings.airflow_url),),
            time=now,
        )
        for kind, (severity, source, subject, evidence) in _TEXTS.items()
    ]
