"""Queries of panels and rules, translated as Grafana's data source does it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]


def search_of(target: dict[str, Any], now: datetime) -> dict[str, Any]:
    """What Elasticsearch is asked at a moment, over the half hour before it."""
    span = {"gte": (now - timedelta(minutes=30)).isoformat(), "lte": now.isoformat()}
    # Documents are counted by themselves.
    metrics = {m["id"]: {m["type"]: {"field": m["field"]}} for m in target["metrics"] if m["type"] != "count"}
    aggregations = metrics
    for bucket in reversed(target["bucketAggs"]):
        settings = bucket["settings"]
        body: dict[str, Any] = {"field": bucket["field"], "min_doc_count": int(settings["min_doc_count"])}
        inner = aggregations
        if bucket["type"] == "terms":
            order = {"_term": "_key"}.get(settings["orderBy"], settings["orderBy"])
            body |= {"size": int(settings["size"]), "order": {order: settings["order"]}}
            # The order is decided among siblings, even where the metric itself lies below a histogram.
            inner = {**metrics, **aggregations} if order in metrics else aggregations
        else:
            body |= {"fixed_interval": settings["interval"]}
        aggregations = {bucket["id"]: {bucket["type"]: body, "aggs": inner}}
    time_range = {"range": {target["timeField"]: span}}
    lucene = {"query_string": {"query": target["query"], "analyze_wildcard": True}}
    return {"size": 0, "query": {"bool": {"filter": [time_range, lucene]}}, "aggs": aggregations}


def rows_of(target: dict[str, Any], answer: dict[str, Any]) -> list[Row]:
    """The rows that a panel gets from an answer."""

    def walk(level: dict[str, Any], depth: int, row: Row) -> Iterator[Row]:
        if depth == len(target["bucketAggs"]):
            yield row | {
                m.get("field", "documents"): level["doc_count"] if m["type"] == "count" else level[m["id"]]["value"]
                for m in target["metrics"]
            }
            return
        bucket = target["bucketAggs"][depth]
        for found in level[bucket["id"]]["buckets"]:
            named = {bucket["field"]: found["key"]} if bucket["type"] == "terms" else {}
            yield from walk(found, depth + 1, {**row, **named})

    return list(walk(answer["aggregations"], 0, {}))
