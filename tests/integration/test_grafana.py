"""The panels' queries on a real Elasticsearch, as Grafana's data source asks them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from include.config import Settings
from include.dashboards.__main__ import BOARDS, FOLDER
from include.names import Alias
from include.serving.indices import install
from tests.integration.grafana_queries import Row, rows_of, search_of

FILES = sorted((FOLDER / BOARDS).glob("*.json"))
DASHBOARDS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FILES}
PANELS = {panel["title"]: panel for board in DASHBOARDS.values() for panel in board["panels"]}
# The server is shared with other tests: no other has events at this time.
WINDOW = datetime(2001, 2, 3, 4, 5, tzinfo=UTC)
INDEX = "metrics-speed-000001"


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


def observation(kind: str, subject: str, status: str = "ok", **metrics: float) -> dict[str, Any]:
    return {
        "_index": Alias.PIPELINE_HEALTH.value,
        "time": WINDOW.isoformat(),
        "kind": kind,
        "subject": subject,
        "status": status,
        "metrics": metrics,
    }


OTHERS: list[dict[str, Any]] = [
    document(2, "all", "all", sessions=8, carts=4, checkouts=2),
    document(2, "country", "DE", sessions=8),
    document(2, "device", "mobile", sessions=8),
    *(
        {
            "_index": Alias.EVENTS.value,
            "_id": f"grafana-review-{rating}",
            "event_id": f"grafana-review-{rating}",
            "event_type": "review_submitted",
            "event_time": WINDOW.isoformat(),
            "product_id": "P-1" if rating > 1 else "P-2",
            "rating": rating,
            "language": "en",
        }
        for rating in (1, 4, 5)
    ),
    *(
        {
            "_index": Alias.FRAUD_ALERTS.value,
            "_id": f"grafana-fraud-{rule}",
            "alert_id": f"grafana-fraud-{rule}",
            "rule": rule,
            "severity": "critical",
            "user_id": "ann",
            "device_id": "phone-1",
            "country": "DE",
            "amount_minor": 12_000,
            "currency": "EUR",
            "event_time": WINDOW.isoformat(),
        }
        for rule in ("blocked_card", "country_mismatch")
    ),
    *(
        {
            "_index": Alias.INVENTORY.value,
            "_id": f"grafana-{status}",
            "product_id": f"P-{status}",
            "category": "books",
            "warehouse_id": "wh-berlin",
            "level": level,
            "status": status,
            "hours_left": 1.5,
            "sold_per_hour": 2.0,
            "event_time": WINDOW.isoformat(),
        }
        for status, level in (("ok", 40), ("low", 2), ("oversold", -1))
    ),
    observation("stream", "live_metrics", "degraded", lag=10, batch_ms=200, rejected_share=0.01),
    observation("freshness", "metrics", age_seconds=2, budget_left=0.9),
    observation("query", "kpis", response_ms=12),
    observation("process", "kafka", "failed", memory_mb=400, cpu_cores=0.2),
    observation("jvm", "elasticsearch", heap_used_mb=300, gc_share=0.01),
    observation("machine", "local", disk_used_percent=40),
    observation("table_writes", "bronze.events", rows_per_second=50),
    observation("audit", "events", differences=0, live_gap=0, gold_gap=0),
    observation("quality", "silver.purchases", failed_critical=0, failed_warning=1, rows=100),
    observation("dead_letters", "replay", repaired=3, still_refused=1),
    observation(
        "handover", "000001", cells=5, explained=1, unexplained=0, drift=0,
        speed_events=9, batch_events=9, speed_orders=2, batch_orders=2,
    ),
    observation("airflow_run", "batch_recompute", seconds=60),
    observation("airflow_run", "audit", "failed", seconds=30),
    observation("airflow_run", "speed_layer", seconds=5),
    observation("deadline", "gold", age_seconds=100),
    {
        "_index": Alias.ALERTS.value,
        "_id": "grafana-incident",
        "alert_id": "grafana-incident",
        "severity": "critical",
        "subject": "The streams stand still",
        "state": "open",
        "first_at": WINDOW.isoformat(),
    },
]  # fmt: skip


@pytest.fixture(scope="module")
def client(elasticsearch: Settings) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch.search_url) as search:
        install(search)
        bulk(search, [*DOCUMENTS, *OTHERS], refresh="wait_for")
        yield search


def rows(client: Elasticsearch, title: str, query: int = 0) -> list[Row]:
    target = PANELS[title]["targets"][query]
    return rows_of(
        target,
        client.search(index=target["datasource"]["uid"], **search_of(target, WINDOW + timedelta(minutes=5))).body,
    )


def test_marks_are_found_with_their_text(client: Elasticsearch) -> None:
    span = {"gte": WINDOW.isoformat(), "lte": (WINDOW + timedelta(minutes=5)).isoformat()}
    found = {}
    for mark in DASHBOARDS["sales_metrics"]["annotations"]["list"]:
        lucene = {"query_string": {"query": mark["target"]["query"]}}
        query = {"bool": {"filter": [{"range": {mark["timeField"]: span}}, lucene]}}
        hits = client.search(index=mark["datasource"]["uid"], query=query)["hits"]["hits"]
        found[mark["name"]] = [hit["_source"][mark["textField"]] for hit in hits]
    assert found == {
        "Handovers": ["000001"],
        "Orders to the streams": ["speed_layer"],
        "Incidents": ["The streams stand still"],
    }


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


def test_a_funnel_counts_each_stage(client: Elasticsearch) -> None:
    found = [rows(client, "Funnel by minute", number) for number in range(4)]
    assert found == [[{"sessions": 8}], [{"carts": 4}], [{"checkouts": 2}], [{"orders": 4}]]
    assert rows(client, "Visits by country") == [{"value": "DE", "sessions": 8}]


def test_reviews_are_averaged_best_and_worst_first(client: Elasticsearch) -> None:
    best = [{"product_id": "P-1", "rating": 4.5}, {"product_id": "P-2", "rating": 1.0}]
    assert rows(client, "Best rated products") == best
    assert rows(client, "Worst rated products") == best[::-1]


def test_suspicions_are_counted_by_rule_and_their_money_by_currency(client: Elasticsearch) -> None:
    assert {row["rule"]: row["documents"] for row in rows(client, "Rules")} == {
        "blocked_card": 1,
        "country_mismatch": 1,
    }
    assert rows(client, "Money at stake") == [{"currency": "EUR", "amount_minor": 24_000}]


def test_what_is_low_is_shown_with_the_lowest_first(client: Elasticsearch) -> None:
    assert rows(client, "Lowest shelves") == [
        {"product_id": "P-oversold", "level": -1},
        {"product_id": "P-low", "level": 2},
    ]
    assert rows(client, "Low by warehouse") == [{"warehouse_id": "wh-berlin", "documents": 2}]


def test_what_failed_is_named(client: Elasticsearch) -> None:
    assert {row["subject"] for row in rows(client, "Failed")} == {"kafka", "audit"}
    assert rows(client, "Runs that failed") == [{"subject": "audit", "documents": 1}]
    assert rows(client, "Lag by stream") == [{"subject": "live_metrics", "metrics.lag": 10.0}]
