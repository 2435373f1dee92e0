"""What Grafana watches: numbers over the last minutes, the limit of each, and what to do when it is passed."""

from dataclasses import dataclass
from typing import Final, Literal

from include.dashboards import queries
from include.dashboards.queries import ALERTS, FRAUD, HEALTH, STOCK, Source

Severity = Literal["warning", "critical"]


@dataclass(frozen=True)
class Watch:
    """One rule: a number over the last minutes that must not be above a limit.

    Attributes:
        uid: Its name for Grafana.
        title: What is wrong when it fires.
        source: Where it looks.
        kind: How the documents of a minute become one number.
        field: Of which field; empty where documents are counted.
        lucene: Of which documents.
        above: The limit.
        severity: Who is told.
        lasting: How long it must be so.
        advice: What to do.
        minutes: How far back it looks.
        reducer: How the minutes become one number.
        silence: What it means that there is no document at all.
    """

    uid: str
    title: str
    source: Source
    kind: queries.Kind
    field: str
    lucene: str
    above: float
    severity: Severity
    lasting: str
    advice: str
    minutes: int = 5
    reducer: Literal["max", "sum"] = "max"
    silence: Literal["Alerting", "OK"] = "OK"


_PAGE: Final = "Look at the Platform page in Airflow"
WATCHES: Final = (
    Watch(
        "numbers-late",
        "Live numbers are late",
        HEALTH,
        "max",
        "metrics.age_seconds",
        "kind:freshness AND subject:metrics",
        60,
        "critical",
        "2m",
        f"{_PAGE}: which stream is behind? If monitoring is away, start it first.",
        silence="Alerting",
    ),
    Watch(
        "part-failed",
        "A stream or part is sick",
        HEALTH,
        "count",
        "",
        "status:failed AND kind:(stream OR process)",
        2,
        "critical",
        "1m",
        f"{_PAGE}; speed_layer_health restarts the streams, the supervisor everything else.",
        reducer="sum",
    ),
    Watch(
        "disk-full",
        "The disk fills up",
        HEALTH,
        "max",
        "metrics.disk_used_percent",
        "kind:machine",
        90,
        "warning",
        "5m",
        "Run the DAG compact_tables, or add disk: at 100 % every stream stops.",
    ),
    Watch(
        "layers-differ",
        "The layers differ without a reason",
        HEALTH,
        "max",
        "metrics.unexplained",
        "kind:handover",
        0,
        "critical",
        "0s",
        "The old view stays. The run of lambda_handover shows which windows differ.",
        minutes=60,
    ),
    Watch(
        "audit-differs",
        "The audit does not add up",
        HEALTH,
        "max",
        "metrics.differences",
        "kind:audit",
        0,
        "critical",
        "0s",
        "The receipt of the DAG audit lists the events by id.",
        minutes=60,
    ),
    Watch(
        "data-quality",
        "A critical expectation is broken",
        HEALTH,
        "max",
        "metrics.failed_critical",
        "kind:quality",
        0,
        "critical",
        "0s",
        "Nothing is published from that partition. Data Docs name expectation and rows.",
        minutes=60,
    ),
    Watch(
        "fraud-wave",
        "Many suspicions of fraud",
        FRAUD,
        "count",
        "",
        "severity:critical",
        50,
        "warning",
        "0s",
        "More than fifty critical suspicions in ten minutes: see the dashboard Fraud by rule and country.",
        minutes=10,
        reducer="sum",
    ),
    Watch(
        "oversold",
        "More was sold than there is",
        STOCK,
        "count",
        "",
        "status:oversold",
        0,
        "warning",
        "0s",
        "See the dashboard Inventory for product and warehouse.",
        minutes=10,
        reducer="sum",
    ),
    Watch(
        "incident-open",
        "A critical incident is open",
        ALERTS,
        "count",
        "",
        "severity:critical AND state:open",
        0,
        "critical",
        "10m",
        "Ten minutes and nobody has acknowledged it: take it on the Platform page.",
        minutes=60,
        reducer="sum",
    ),
)
