"""The key figures from literal documents in a real Elasticsearch."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from datasketches import hll_sketch, tgt_hll_type
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk
from typer.testing import CliRunner

from include.cli.application import build
from include.config import Settings
from include.errors import PartUnavailableError
from include.names import Alias
from include.serving.aliases import indices_behind, switch
from include.serving.client import connect
from include.serving.indices import install
from include.serving.kpi_screen import nothing_yet
from include.serving.kpis import Kpis, read_kpis

# The server is shared with other tests: no other has events at this time.
NOW = datetime(2002, 3, 4, 12, 10, 20, tzinfo=UTC)
MINUTE = datetime(2002, 3, 4, 12, 8, tzinfo=UTC)
COUNTS = ("events", "orders", "items", "revenue_minor", "returns", "refunded_minor", "sessions", "carts", "checkouts")


def sums(batch: int, at: datetime, currency: str | None, **values: int) -> dict[str, Any]:
    return {
        "_index": "metrics-speed-000001",
        "_id": f"kpis:{batch}:{at.timestamp():.0f}:{currency}",
        "window_start": at.isoformat(),
        "window_seconds": 10,
        "dimension": "all",
        "value": "all",
        "currency": currency,
        "layer": "speed",
        "processed_at": at.isoformat(),
        **{name: values.get(name, 0) for name in COUNTS},
    }


def sketch(*names: str) -> str:
    made = hll_sketch(12, tgt_hll_type.HLL_8)
    for name in names:
        made.update(name)
    return base64.b64encode(made.serialize_compact()).decode()


def activity(at: datetime, users: str, active: str, carts: str, buying: str) -> dict[str, Any]:
    return {
        "_index": "metrics-activity-000001",
        "_id": at.isoformat(),
        "window_start": at.isoformat(),
        "window_seconds": 60,
        "dimension": "activity",
        "value": "all",
        "layer": "speed",
        "users_sketch": sketch(*users.split()),
        "active_sessions_sketch": sketch(*active.split()),
        "cart_sessions_sketch": sketch(*carts.split()),
        "buying_sessions_sketch": sketch(*buying.split()),
    }


DOCUMENTS = [
    sums(1, MINUTE, None, events=20, sessions=3, carts=2, checkouts=1),
    sums(1, MINUTE, "EUR", events=2, orders=2, items=3, revenue_minor=5_050),
    sums(2, MINUTE + timedelta(seconds=50), "EUR", events=1, orders=1, items=1, revenue_minor=1_000),
    sums(
        2, MINUTE + timedelta(seconds=60), "USD", events=2, orders=1, revenue_minor=999, returns=1, refunded_minor=500
    ),
    sums(1, NOW - timedelta(hours=1), "EUR", events=7, orders=7, revenue_minor=70_000),
    activity(MINUTE, users="u1 u2", active="s1 s2 s3", carts="s1 s2", buying=""),
    activity(MINUTE + timedelta(minutes=1), users="u2 u3", active="s1 s4", carts="s4", buying="s1"),
    activity(MINUTE + timedelta(minutes=2), users="u4", active="s4", carts="", buying=""),
]


@pytest.fixture(scope="module")
def client(elasticsearch: Settings) -> Iterator[Elasticsearch]:
    with connect(elasticsearch) as search:
        install(search)
        bulk(search, DOCUMENTS, refresh="wait_for")
        yield search


@pytest.fixture(scope="module")
def figures(client: Elasticsearch) -> Kpis:
    return read_kpis(client, NOW, 10)


def test_sums_are_added_over_micro_batches_by_currency(figures: Kpis) -> None:
    assert figures.counts == {"events": 25, "orders": 4, "items": 4, "sessions": 3, "carts": 2, "checkouts": 1}
    assert list(figures.sales) == ["EUR", "USD"]
    assert figures.sales["EUR"].revenue_minor == 6_050
    assert figures.sales["EUR"].average_order_minor == 2_017
    assert figures.sales["USD"].refunded_minor == 500


def test_every_minute_is_there_and_the_running_one_is_last(figures: Kpis) -> None:
    assert len(figures.series) == 11
    assert figures.series[-1].start == datetime(2002, 3, 4, 12, 10, tzinfo=UTC)
    by_minute = {minute.start.minute: (minute.orders, dict(minute.revenue_minor)) for minute in figures.series}
    assert by_minute[8] == (3, {"EUR": 6_050})
    assert by_minute[9] == (1, {"USD": 999})
    assert by_minute[7] == (0, {})


def test_users_and_sessions_are_distinct_over_minutes(figures: Kpis) -> None:
    assert figures.activity.users == {1: 3, 5: 4, 15: 4}
    assert figures.activity.active_sessions == 4
    assert figures.activity.conversion_rate == pytest.approx(1 / 4)
    # Of the sessions s1, s2, s4 with a cart only s1 bought.
    assert figures.activity.cart_abandonment_rate == pytest.approx(2 / 3)


def test_a_range_without_events_says_so(client: Elasticsearch) -> None:
    empty = read_kpis(client, NOW - timedelta(days=1), 5)
    assert empty.counts["events"] == 0
    assert "No event in the last 5 minutes" in str(nothing_yet(empty))


def test_missing_aliases_are_named(client: Elasticsearch) -> None:
    behind = indices_behind(client, Alias.METRICS)
    switch(client, Alias.METRICS, remove=behind)
    try:
        with pytest.raises(PartUnavailableError, match=r"no metrics yet.*indices install"):
            read_kpis(client, NOW, 5)
    finally:
        switch(client, Alias.METRICS, add=behind)


def test_the_command_prints_json_and_names_an_absent_server(
    elasticsearch: Settings, client: Elasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("include.config.get_settings", lambda: elasticsearch)
    found = CliRunner().invoke(build(), ["kpis", "--json", "--minutes", "5"])
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["freshness"]["layers"].keys() <= {"speed", "batch"}
    absent = elasticsearch.model_copy(update={"elasticsearch_url": "http://127.0.0.1:9"})
    monkeypatch.setattr("include.config.get_settings", lambda: absent)
    refused = CliRunner().invoke(build(), ["kpis"])
    assert refused.exit_code == 1
    assert "elasticsearch is not available: no answer at http://127.0.0.1:9" in refused.output
