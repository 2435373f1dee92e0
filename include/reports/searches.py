"""What a report asks the search store."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from include.names import Query
from include.serving.freshness import iso

Body = dict[str, Any]

COUNTS: Final = ("events", "orders", "sessions", "carts")
_SALES: Final = ("orders", "revenue_minor", "refunded_minor")
_CURRENCIES: Final = 200
_HANDOVERS: Final = 200
_RULES: Final = 50


def _sums(fields: Sequence[str]) -> Body:
    return {name: {"sum": {"field": name}} for name in fields}


def _currencies(fields: Sequence[str]) -> Body:
    return {"terms": {"field": "currency", "size": _CURRENCIES}, "aggs": _sums(fields)}


def _within(field: str, since: datetime, until: datetime, **terms: str) -> Body:
    filters: list[Body] = [{"range": {field: {"gte": iso(since), "lt": iso(until)}}}]
    return {"bool": {"filter": [*({"term": {name: value}} for name, value in terms.items()), *filters]}}


def _counting(query: Body, aggs: Body) -> Body:
    return {"size": 0, "track_total_hits": False, "query": query, "aggs": aggs}


def totals(since: datetime, until: datetime) -> Body:
    """Sums of the span, and of each currency."""
    query = _within("window_start", since, until, dimension="all")
    return _counting(query, {**_sums(COUNTS), "currencies": _currencies(_SALES)})


def points(since: datetime, until: datetime, bucket_seconds: int) -> Body:
    """Orders and revenue, point by point."""
    buckets = {
        "field": "window_start",
        "fixed_interval": f"{bucket_seconds}s",
        "min_doc_count": 0,
        "extended_bounds": {"min": iso(since), "max": iso(until - timedelta(milliseconds=1))},
    }
    inner = {**_sums(("orders",)), "currencies": _currencies(("revenue_minor",))}
    query = _within("window_start", since, until, dimension="all")
    return _counting(query, {"points": {"date_histogram": buckets, "aggs": inner}})


def products(since: datetime, until: datetime, most: int) -> Body:
    """The products of which the most pieces were sold."""
    terms = {"field": "value", "size": most, "order": [{"items": "desc"}, {"_key": "asc"}], "shard_size": 5_000}
    inner = {**_sums(("items",)), "currencies": _currencies(("revenue_minor",))}
    query = _within("window_start", since, until, dimension="product")
    return _counting(query, {"products": {"terms": terms, "aggs": inner}})


def fraud(since: datetime, until: datetime) -> Body:
    """Suspicions by rule."""
    return _counting(_within("event_time", since, until), {"rules": {"terms": {"field": "rule", "size": _RULES}}})


def observed(since: datetime, until: datetime) -> Body:
    """How the live query and the freshness of the numbers were, and the verdicts on streams."""

    def of(kind: str, names: Sequence[str], **terms: str) -> Body:
        filters = [{"term": {name: value}} for name, value in {"kind": kind, **terms}.items()]
        figures: Body = {}
        for name in names:
            figures[name] = {"percentiles": {"field": f"metrics.{name}", "percents": [50, 99]}}
            figures[f"{name}_max"] = {"max": {"field": f"metrics.{name}"}}
        return {"filter": {"bool": {"filter": filters}}, "aggs": figures}

    return _counting(
        _within("time", since, until),
        {
            "live": of("stream", ("batch_ms", "lag"), subject=Query.LIVE_METRICS.value),
            "freshness": of("freshness", ("age_seconds",)),
            "streams": {
                "filter": {"term": {"kind": "stream_health"}},
                "aggs": {"status": {"terms": {"field": "status", "size": 10}}},
            },
        },
    )


def handovers(since: datetime, until: datetime) -> Body:
    """Handovers with their drift, oldest first."""
    return {
        "size": _HANDOVERS,
        "track_total_hits": False,
        "query": _within("time", since, until, kind="handover"),
        "sort": [{"time": "asc"}],
        "_source": ["time", "subject", "status", "reason", "metrics.lambda_drift_ratio", "metrics.unexplained"],
    }
