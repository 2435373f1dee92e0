"""Time series of the additive metrics, and the search behind them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from include.serving.answers import money
from include.serving.api.questions import SeriesQuestion
from include.serving.freshness import iso

_COUNTS: Final = ("events", "orders", "items", "returns", "sessions", "carts", "checkouts")
_MONEY: Final = ("revenue_minor", "refunded_minor")
_CURRENCIES: Final = 50


def series_search(question: SeriesQuestion, since: datetime, until: datetime) -> dict[str, Any]:
    """One series for each value of the dimension."""
    filters: list[dict[str, Any]] = [
        {"term": {"dimension": question.dimension}},
        {"range": {"window_start": {"gte": iso(since), "lt": iso(until)}}},
    ]
    if question.value:
        filters.append({"terms": {"value": question.value}})
    sums = {field: {"sum": {"field": field}} for field in _COUNTS}
    money_sums = {field: {"sum": {"field": field}} for field in _MONEY}
    buckets = {
        "field": "window_start",
        "fixed_interval": question.interval.value,
        "min_doc_count": 0,
        "extended_bounds": {"min": iso(since), "max": iso(until - timedelta(milliseconds=1))},
    }
    size = len(question.value) or question.top
    return {
        "size": 0,
        "track_total_hits": False,
        "query": {"bool": {"filter": filters}},
        "aggs": {
            "values": {
                "terms": {"field": "value", "size": size, "order": {"most": "desc"}},
                "aggs": {
                    "most": {"sum": {"field": "events"}},
                    "buckets": {
                        "date_histogram": buckets,
                        "aggs": {
                            **sums,
                            "currencies": {"terms": {"field": "currency", "size": _CURRENCIES}, "aggs": money_sums},
                        },
                    },
                },
            }
        },
    }


def series_from(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The series, ready to be sent."""
    return [
        {"value": found["key"], "points": [_point(bucket) for bucket in found["buckets"]["buckets"]]}
        for found in answer["aggregations"]["values"]["buckets"]
    ]


def _point(bucket: Mapping[str, Any]) -> dict[str, Any]:
    point: dict[str, Any] = {"start": iso(datetime.fromtimestamp(bucket["key"] / 1000, UTC))}
    point |= {name: int(bucket[name]["value"]) for name in _COUNTS}
    for field in _MONEY:
        cents = {found["key"]: int(found[field]["value"]) for found in bucket["currencies"]["buckets"]}
        point[field.removesuffix("_minor")] = {currency: money(value) for currency, value in cents.items() if value}
    return point
