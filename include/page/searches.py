"""What the page asks the search store; every body runs on the plainest Elasticsearch (no scripts, no pipelines)."""

from datetime import datetime, timedelta
from typing import Any, Final

from include.names import Alias
from include.serving.answers import SAME_COPY
from include.serving.freshness import iso
from include.stock.shelf import Status

Body = dict[str, Any]

# Fields of the minute documents; only lines under the key figures use them, the figures merge the sketches.
ACTIVITY: Final = ("users", "active_sessions", "cart_sessions", "buying_sessions")
_SHOWN: Final = 8
_CURRENCIES: Final = 50


def header(alias: Alias) -> Body:
    """Of one search in a ``msearch``; an alias that is not there yet is an empty answer."""
    return {"index": alias.value, "ignore_unavailable": True, "allow_no_indices": True, "preference": SAME_COPY}


def series(since: datetime, until: datetime, bucket_seconds: int) -> Body:
    """Events, orders and revenue by currency, point by point, and the busiest minute's users and sessions."""
    span = {"gte": iso(since), "lt": iso(until)}
    return {
        "size": 0,
        "track_total_hits": False,
        "query": {
            "bool": {"filter": [{"terms": {"dimension": ["all", "activity"]}}, {"range": {"window_start": span}}]}
        },
        "aggs": {
            "points": {
                "date_histogram": {
                    "field": "window_start",
                    "fixed_interval": f"{bucket_seconds}s",
                    "min_doc_count": 0,
                    "extended_bounds": {"min": iso(since), "max": iso(until - timedelta(milliseconds=1))},
                },
                "aggs": {
                    "events": {"sum": {"field": "events"}},
                    **{name: {"max": {"field": name}} for name in ACTIVITY},
                    "currencies": {
                        "terms": {"field": "currency", "size": _CURRENCIES},
                        "aggs": {
                            "orders": {"sum": {"field": "orders"}},
                            "revenue": {"sum": {"field": "revenue_minor"}},
                        },
                    },
                },
            }
        },
    }


def latency(now: datetime) -> Body:
    """The newest documents of the live query with their stamps."""
    return {
        "size": 300,
        "track_total_hits": False,
        "query": {
            "bool": {
                "filter": [
                    {"term": {"layer": "speed"}},
                    {"term": {"dimension": "all"}},
                    {"range": {"processed_at": {"gte": iso(now - timedelta(minutes=2))}}},
                ]
            }
        },
        "sort": [{"processed_at": "desc"}],
        "_source": ["kafka_time_min", "kafka_time_max", "indexed_at", "batch_id"],
    }


def stream_health(now: datetime) -> Body:
    """The newest observation of each stream."""
    return {
        "size": 20,
        "track_total_hits": False,
        "query": {
            "bool": {
                "filter": [
                    {"term": {"kind": "stream"}},
                    {"range": {"time": {"gte": iso(now - timedelta(minutes=15))}}},
                ]
            }
        },
        "collapse": {"field": "subject"},
        "sort": [{"time": "desc"}],
    }


def handovers() -> Body:
    """The latest handovers with their drift."""
    return {
        "size": _SHOWN,
        "track_total_hits": False,
        "query": {"term": {"kind": "handover"}},
        "sort": [{"time": "desc"}],
        "_source": ["time", "subject", "status", "reason", "metrics.*"],
    }


def coverage() -> Body:
    """Which span of event time each layer answers for."""
    return {
        "size": 0,
        "track_total_hits": False,
        "query": {"term": {"dimension": "all"}},
        "aggs": {
            "layers": {
                "terms": {"field": "layer", "size": 5},
                "aggs": {
                    "first": {"min": {"field": "window_start"}},
                    "last": {"max": {"field": "window_start"}},
                    "segments": {
                        "terms": {"field": "segment", "size": 50, "order": {"_key": "asc"}},
                        "aggs": {
                            "first": {"min": {"field": "processed_at"}},
                            "last": {"max": {"field": "processed_at"}},
                        },
                    },
                },
            }
        },
    }


def fraud() -> Body:
    """The newest suspicions."""
    return {"size": _SHOWN, "track_total_hits": True, "sort": [{"event_time": {"order": "desc"}}]}


def stock() -> Body:
    """The shelves that are low: what sells out next, then the lowest levels."""
    return {
        "size": _SHOWN,
        "track_total_hits": True,
        "query": {"bool": {"must_not": {"term": {"status": Status.OK.value}}}},
        "sort": [{"hours_left": {"order": "asc", "missing": "_last"}}, {"level": {"order": "asc"}}],
    }
