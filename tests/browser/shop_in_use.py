"""Literal documents of a shop that has been selling for a while: what the page is shown with."""

import base64
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from datasketches import hll_sketch, tgt_hll_type
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from include.alerting.alert import Alert, Kind, Link, Severity
from include.alerting.dispatcher import Dispatcher
from include.alerting.outbox import Outbox
from include.alerting.routing import load_routing
from include.config import Settings
from include.handover.segments import Segment, ledger_of
from include.names import Alias, Query
from include.reports.period import Length, period_of
from include.reports.publishing import publish as write_report
from include.serving.pipeline_health import HealthRecord, publish
from include.supervision.heartbeat import Heartbeat, write_heartbeat


def metric(window: datetime, now: datetime, currency: str | None, **sums: int) -> dict[str, Any]:
    """One additive document, ten seconds wide."""
    zero = dict.fromkeys(
        ("events", "orders", "items", "revenue_minor", "returns", "refunded_minor", "sessions", "carts", "checkouts"), 0
    )
    return {
        "window_start": window.isoformat(),
        "window_seconds": 10,
        "dimension": "all",
        "value": "all",
        "currency": currency,
        "layer": "speed",
        "segment": 1,
        "query_id": "q",
        "batch_id": int(window.timestamp()) // 10,
        "event_time_max": now.isoformat(),
        "kafka_time_min": (now - timedelta(milliseconds=720)).isoformat(),
        "kafka_time_max": (now - timedelta(milliseconds=310)).isoformat(),
        "processed_at": (now - timedelta(milliseconds=150)).isoformat(),
        "indexed_at": now.isoformat(),
        **zero,
        **sums,
    }


def _sketch(first: int, count: int) -> str:
    sketch = hll_sketch(12, tgt_hll_type.HLL_4)
    for number in range(first, first + count):
        sketch.update(f"user-{number}")
    return base64.b64encode(sketch.serialize_updatable()).decode()


def activity(minute: datetime, users: int) -> dict[str, Any]:
    """One minute's distinct counts."""
    first = int(minute.timestamp()) // 60 * 7
    sizes = {"users": users, "active_sessions": users, "cart_sessions": users // 3, "buying_sessions": users // 5}
    return {
        "window_start": minute.isoformat(),
        "window_seconds": 60,
        "dimension": "activity",
        "value": "all",
        "layer": "speed",
        **sizes,
        **{f"{name}_sketch": _sketch(first, size) for name, size in sizes.items()},
    }


def sold(window: datetime, now: datetime, strength: float) -> Iterator[dict[str, Any]]:
    """Ten seconds of the shop at a strength around 1."""
    orders = max(1, round(6 * strength))
    yield metric(window, now, None, events=round(480 * strength), sessions=round(20 * strength), carts=orders * 2)
    yield metric(window, now, "EUR", events=orders, orders=orders, items=orders * 2, revenue_minor=orders * 6_317)
    yield metric(window, now, "USD", events=1, orders=1, items=1, revenue_minor=4_999)


def _history(now: datetime) -> Iterator[dict[str, Any]]:
    for days, level in ((0, 1.0), (1, 0.86), (7, 0.93)):
        start = (now - timedelta(days=days)).replace(microsecond=0)
        for step in range(390):
            window = start - timedelta(seconds=start.second % 10, minutes=0) - timedelta(seconds=10 * step)
            strength = level * (1 + 0.28 * math.sin(step / 37) + 0.1 * math.sin(step / 5.3))
            for body in sold(window, window + timedelta(seconds=11), strength):
                yield {"_index": "metrics-speed-000001", **body}
        minute = start.replace(second=0)
        for step in range(62):
            users = round(level * (340 + 60 * math.sin(step / 6)))
            yield {"_index": "metrics-activity-000001", **activity(minute - timedelta(minutes=step), users)}
    # Around yesterday's hour, which the charts compare with, an hour in one document would be a spike.
    for hour in (*range(2, 22), *range(27, 72)):
        window = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hour)
        yield {
            "_index": "metrics-speed-000001",
            **metric(window, window, "EUR", events=900, orders=400, revenue_minor=2_526_800),
            "layer": "batch",
        }


def _others(now: datetime) -> Iterator[dict[str, Any]]:
    for number, (rule, who, cents, evidence) in enumerate(
        (
            ("card_testing", "u-1042", 499, "14 orders of less than 5 EUR in 3 minutes, one card"),
            ("impossible_travel", "u-88", 129_900, "Lisbon and Tokyo within 40 minutes"),
            ("unusual_amount", "u-3407", 481_250, "18 times the customer's usual order"),
        )
    ):
        yield {
            "_index": Alias.FRAUD_ALERTS.value,
            "_id": f"f{number}",
            "alert_id": f"f{number}",
            "rule": rule,
            "severity": "warning",
            "user_id": who,
            "amount_minor": cents,
            "currency": "EUR",
            "evidence": evidence,
            "event_time": (now - timedelta(seconds=20 + 75 * number)).isoformat(),
        }
    for product, level, hours in (("p-207", 11, 2.1), ("p-031", 40, 7.4), ("p-950", 164, 31.0)):
        yield {
            "_index": Alias.INVENTORY.value,
            "product_id": product,
            "warehouse_id": "w-1",
            "category": "shoes",
            "level": level,
            "hours_left": hours,
            "sold_per_hour": level / hours,
            "status": "low",
        }


def running_streams(settings: Settings, now: datetime) -> None:
    """Heartbeats of running queries, one of which stands still."""
    moment = now.timestamp()
    for place, query in enumerate(Query):
        beat = Heartbeat(
            query=query.value,
            query_id="q",
            pid=1,
            started_at=moment - 7200,
            updated_at=moment - 0.4 if place != 1 else moment - 190,
            batch_ms=180 + 90 * place,
            rows_per_second=480.0 * (place + 1),
            input_rows=3_400_000,
            watermark=moment - 11,
        )
        write_heartbeat(settings, query, beat)


def _segments(settings: Settings, now: datetime) -> None:
    ledger = ledger_of(settings)
    rows = [
        Segment(1, "q", 0, 812, {}, (now - timedelta(hours=2)).isoformat(), None, "run-1"),
        Segment(2, "q", 813, 2100, {}, (now - timedelta(minutes=34)).isoformat()),
        Segment(3, "q", 2101),
    ]
    path = settings.platform_data_dir / "segments" / "ledger.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"segments": [segment.__dict__ for segment in rows]}))
    assert len(ledger.segments()) == 3


def alerts(settings: Settings, now: datetime) -> None:
    """Three open alerts, one of them urgent."""
    said = (
        (Severity.CRITICAL, Kind.STREAM_HEALTH, "speed-layer", "dead_letters stands still", {"last progress": "190 s"}),
        (Severity.WARNING, Kind.FRAUD, "fraud", "Suspected fraud: card testing by u-1042", {"orders": 14}),
        (Severity.WARNING, Kind.RESOURCES, "monitoring", "The data folder's disk is 91 % full", {"free": "2.1 GB"}),
    )
    for place, (severity, kind, source, subject, evidence) in enumerate(said):
        Outbox(settings).put(
            Alert(
                source=source,
                kind=kind,
                severity=severity,
                subject=subject,
                key=f"test/{place}",
                evidence=evidence,
                links=(Link(label="Log", url=f"{settings.airflow_url}/dags"),),
                runbook="https://example.org/runbook",
                time=now - timedelta(minutes=3 + 9 * place),
            )
        )
    Dispatcher(settings, load_routing(settings.alert_routing_file), {}).take(now)


def fill(settings: Settings, client: Elasticsearch) -> None:
    """Put all of it where the page looks for it."""
    now = datetime.now(UTC)
    bulk(client, [*_history(now), *_others(now)])
    publish(
        client,
        [
            *(
                HealthRecord(now, "stream", query.value, "ok", metrics={"lag": 120 * place})
                for place, query in enumerate(Query)
            ),
            HealthRecord(now - timedelta(hours=2), "handover", "run-1", "ok", metrics={"lambda_drift_ratio": 0.0}),
        ],
    )
    client.indices.refresh(index="*")
    running_streams(settings, now)
    _segments(settings, now)
    alerts(settings, now)
    write_report(settings, period_of(Length.DAILY, now.date()))
