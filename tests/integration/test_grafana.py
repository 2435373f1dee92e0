"""The panels' queries on a real Elasticsearch, translated as Grafana's data source does it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from include.config import Settings
from include.dashboards.__main__ import FOLDER
from include.names import Alias
from include.serving.indices import install

BOARD = json.loads((FOLDER / "sales_metrics.json").read_text(encoding="utf-8"))
PANELS = {panel["title"]: panel for panel in BOARD["panels"]}
# The server is shared with other tests: no other has events at this time.
WINDOW = datetime(2001, 2, 3, 4, 5, tzinfo=UTC)
INDEX = "metrics-speed-000001"

Row = dict[str, Any]


def document(batch: int, dimension: str, value: str, currency: str | None = None, **sums: int) -> dict[str, Any]:
    numbers = ["events", "orders", "items", "revenue_minor", "returns", "refunded_minor"]
    numbers += ["sessions", "carts", "checkouts"]
    return {
        "_index": INDEX,
        "_id": f"grafana:{batch}:{dimension}:{value}:{currency or '-'}",
        "window_start": WINDOW.isoformat(),
        "window_seconds": 10,
        "dimension": dimension,
        "value": value,
        "currency": currency,
        **{name: sums.get(name, 0) for name in numbers},
        "layer": "speed",
        "segment": 1,
        "query_id": "grafana",
        "batch_id": batch,
        "processed_at": (WINDOW + timedelta(seconds=batch)).isoformat(),
    }


DOCUMENTS = [
    document(1, "all", "all", events=30),
    document(1, "all", "all", "EUR", events=2, orders=2, items=5, revenue_minor=10_000),
    document(2, "all", "all", "EUR", events=1, orders=1, items=1, revenue_minor=2_550),
    document(2, "all", "all", "USD", events=2, orders=1, items=2, revenue_minor=4_000, returns=1, refunded_minor=1_500),
    document(1, "product", "P-1", "EUR", events=2, orders=2, items=4, revenue_minor=8_000),
    document(2, "product", "P-2", "USD", events=1, orders=1, items=2, revenue_minor=4_000),
    document(1, "product", "P-3", events=9),
    document(1, "category", "books", "EUR", events=2, orders=2, items=4, revenue_minor=8_000),
    document(1, "country", "DE", "EUR", events=3, orders=3, items=6, revenue_minor=12_550),
    document(2, "country", "US", "USD", events=1, orders=1, items=2, revenue_minor=4_000),
    document(1, "event_type", "page_view", events=30),
    document(2, "event_type", "order_placed", "EUR", events=3),
]


@pytest.fixture(scope="module")
def client(elasticsearch: Settings) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch.search_url) as search:
        install(search)
        bulk(search, DOCUMENTS, refresh="wait_for")
        yield search


def search_of(target: dict[str, Any]) -> dict[str, Any]:
    span = {"gte": (WINDOW - timedelta(minutes=25)).isoformat(), "lte": (WINDOW + timedelta(minutes=5)).isoformat()}
    metrics = {metric["id"]: {metric["type"]: {"field": metric["field"]}} for metric in target["metrics"]}
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
    def walk(level: dict[str, Any], depth: int, row: Row) -> Iterator[Row]:
        if depth == len(target["bucketAggs"]):
            yield {**row, **{metric["field"]: level[metric["id"]]["value"] for metric in target["metrics"]}}
            return
        bucket = target["bucketAggs"][depth]
        for found in level[bucket["id"]]["buckets"]:
            named = {bucket["field"]: found["key"]} if bucket["type"] == "terms" else {}
            yield from walk(found, depth + 1, {**row, **named})

    return list(walk(answer["aggregations"], 0, {}))


def rows(client: Elasticsearch, title: str, query: int = 0) -> list[Row]:
    target = PANELS[title]["targets"][query]
    return rows_of(target, client.search(index=Alias.METRICS.value, **search_of(target)).body)


@pytest.mark.parametrize("title", PANELS)
def test_every_panel_has_rows(client: Elasticsearch, title: str) -> None:
    for number in range(len(PANELS[title]["targets"])):
        assert rows(client, title, number)


def test_revenue_is_summed_over_micro_batches_within_a_currency(client: Elasticsearch) -> None:
    expected = [{"currency": "EUR", "revenue_minor": 12_550}, {"currency": "USD", "revenue_minor": 4_000}]
    assert rows(client, "Revenue by currency") == expected
    assert rows(client, "Sales per minute") == expected


def test_orders_count_once_over_all_currencies(client: Elasticsearch) -> None:
    assert rows(client, "Orders") == [{"orders": 4}]
    assert rows(client, "Orders and items per minute", 1) == [{"items": 8}]


def test_average_order_value_has_its_two_parts(client: Elasticsearch) -> None:
    assert rows(client, "Average order value") == [
        {"currency": "EUR", "revenue_minor": 12_550, "orders": 3},
        {"currency": "USD", "revenue_minor": 4_000, "orders": 1},
    ]


def test_rankings_show_what_was_sold_and_leave_out_what_was_only_seen(client: Elasticsearch) -> None:
    assert rows(client, "Top products") == [{"value": "P-1", "items": 4}, {"value": "P-2", "items": 2}]
    assert rows(client, "Top categories") == [{"value": "books", "items": 4}]
    assert rows(client, "Top countries") == [{"value": "DE", "orders": 3}, {"value": "US", "orders": 1}]


def test_events_are_counted_by_type(client: Elasticsearch) -> None:
    assert rows(client, "Events per second") == [
        {"value": "page_view", "events": 30},
        {"value": "order_placed", "events": 3},
    ]


def test_freshness_is_the_newest_processing_time(client: Elasticsearch) -> None:
    newest = (WINDOW + timedelta(seconds=2)).timestamp() * 1000
    assert rows(client, "Newest data") == [{"layer": "speed", "processed_at": newest}]


def test_returns_are_shown_in_their_currency(client: Elasticsearch) -> None:
    by_currency = {row["currency"]: row for row in rows(client, "By currency")}
    assert by_currency["USD"]["returns"] == 1
    assert by_currency["USD"]["refunded_minor"] == 1_500
    assert by_currency["EUR"]["refunded_minor"] == 0
