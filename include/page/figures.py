"""Key figures with their trend: now, a day ago, a week ago."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from include.page.searches import ACTIVITY
from include.serving.kpis import Kpis


def figures(kpis: Kpis) -> dict[str, Any]:
    """One span's figures as numbers; money in cents by currency, shares from 0 to 1, None where nothing is known."""
    activity = kpis.activity
    return {
        "events": kpis.counts["events"],
        "orders": kpis.counts["orders"],
        "events_per_second": kpis.counts["events"] / (kpis.minutes * 60),
        "users": activity.users[5],
        "sessions": activity.active_sessions,
        "conversion": activity.conversion_rate,
        "abandonment": activity.cart_abandonment_rate,
        "currencies": {
            currency: {
                "orders": sums.orders,
                "revenue": sums.revenue_minor,
                "per_minute": kpis.sales_per_minute_minor(currency),
                "average": sums.average_order_minor,
                "refunded": sums.refunded_minor,
            }
            for currency, sums in kpis.sales.items()
        },
    }


def points(answer: Mapping[str, Any], shift_seconds: float = 0) -> dict[str, Any]:
    """A series as columns, which is how charts take it.

    Args:
        answer: Of ``searches.series``.
        shift_seconds: Added to its times, so that yesterday lies over today.
    """
    buckets = answer["aggregations"]["points"]["buckets"]
    currencies = sorted({found["key"] for bucket in buckets for found in bucket["currencies"]["buckets"]})
    revenue: dict[str, list[int]] = {currency: [0] * len(buckets) for currency in currencies}
    orders: dict[str, list[int]] = {currency: [0] * len(buckets) for currency in currencies}
    for place, bucket in enumerate(buckets):
        for found in bucket["currencies"]["buckets"]:
            revenue[found["key"]][place] = int(found["revenue"]["value"])
            orders[found["key"]][place] = int(found["orders"]["value"])
    return {
        "time": [bucket["key"] / 1000 + shift_seconds for bucket in buckets],
        "events": [int(bucket["events"]["value"]) for bucket in buckets],
        "orders": orders,
        "revenue": revenue,
        **{name: [bucket[name]["value"] for bucket in buckets] for name in ACTIVITY},
    }


def percentiles(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """Latency from Kafka's append to the search store, over the newest micro-batches; None without any.

    The oldest event of a micro-batch waited longest, so p99 of the oldest is what no event exceeds.
    """
    oldest: dict[int, float] = {}
    newest: dict[int, float] = {}
    for hit in answer["hits"]["hits"]:
        stamps = hit["_source"]
        if not all(stamps.get(name) for name in ("kafka_time_min", "kafka_time_max", "indexed_at")):
            continue
        batch, indexed = stamps["batch_id"], _seconds(stamps["indexed_at"])
        oldest[batch] = max(oldest.get(batch, 0.0), indexed - _seconds(stamps["kafka_time_min"]))
        newest[batch] = min(newest.get(batch, float("inf")), indexed - _seconds(stamps["kafka_time_max"]))
    if not oldest:
        return None
    return {
        "batches": len(oldest),
        "newest_p50": _at(newest.values(), 0.5),
        "oldest_p50": _at(oldest.values(), 0.5),
        "oldest_p99": _at(oldest.values(), 0.99),
    }


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _at(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)
