"""What the speed layer's segments add up to, read from Elasticsearch hour by hour, so that memory stays small."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from elasticsearch import Elasticsearch

from include.handover.cells import MEASURES, Cell, Sums

_PAGE: Final = 5_000
_HOUR: Final = "%Y-%m-%dT%H"
_SOURCES: Final = (
    {"window": {"terms": {"field": "window_start"}}},
    {"dimension": {"terms": {"field": "dimension"}}},
    {"value": {"terms": {"field": "value"}}},
    {"currency": {"terms": {"field": "currency", "missing_bucket": True}}},
)


def hours_of(client: Elasticsearch, indices: Sequence[str]) -> list[str]:
    """Hours (``2026-11-24T10``) of event time for which the segments hold documents."""
    histogram = {"field": "window_start", "fixed_interval": "1h", "min_doc_count": 1}
    answer = client.search(index=list(indices), size=0, aggregations={"hours": {"date_histogram": histogram}})
    starts = (bucket["key"] / 1000 for bucket in answer["aggregations"]["hours"]["buckets"])
    return [datetime.fromtimestamp(start, UTC).strftime(_HOUR) for start in starts]


def sums_of_hour(client: Elasticsearch, indices: Sequence[str], hour: str) -> dict[Cell, Sums]:
    """The sums of every cell of an hour over all documents of the segments."""
    start = datetime.strptime(hour, _HOUR).replace(tzinfo=UTC)
    span = {"gte": start.isoformat(), "lt": (start + timedelta(hours=1)).isoformat()}
    found: dict[Cell, Sums] = {}
    after: dict[str, Any] | None = None
    while True:
        composite: dict[str, Any] = {"size": _PAGE, "sources": list(_SOURCES)} | ({"after": after} if after else {})
        answer = client.search(
            index=list(indices),
            size=0,
            query={"range": {"window_start": span}},
            aggregations={
                "cells": {
                    "composite": composite,
                    "aggregations": {name: {"sum": {"field": name}} for name in MEASURES},
                }
            },
        )["aggregations"]["cells"]
        for bucket in answer["buckets"]:
            key = bucket["key"]
            cell = Cell(key["window"] // 1000, key["dimension"], key["value"], key["currency"])
            # Sums are doubles; whole numbers below 2**53 come back exactly.
            found[cell] = tuple(round(bucket[name]["value"]) for name in MEASURES)
        after = answer.get("after_key")
        if after is None:
            return found
