"""The HTTP API in a real server, on literal documents in a real Elasticsearch."""

import json
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from elasticsearch.helpers import bulk
from pydantic import SecretStr

from include.config import Settings
from include.names import Alias
from include.serving.api.app import create_app
from include.serving.client import connect
from include.serving.indices import install
from tests.integration.web_server import served

# The server is shared with other tests: no other has events at this time.
RANGE = {"since": "2004-05-06T07:00:00Z", "until": "2004-05-06T08:00:00Z"}
COUNTS = ("events", "orders", "items", "returns", "sessions", "carts", "checkouts", "revenue_minor", "refunded_minor")


def metric(second: int, dimension: str, value: str, currency: str | None = None, **sums: int) -> dict[str, Any]:
    return {
        "_index": "metrics-speed-000001",
        "_id": f"api:{second}:{dimension}:{value}:{currency}",
        "window_start": f"2004-05-06T07:00:{second:02d}Z",
        "dimension": dimension,
        "value": value,
        "currency": currency,
        "layer": "speed",
        "processed_at": "2004-05-06T07:01:00Z",
        "kafka_time_max": "2004-05-06T07:00:59Z",
        **{name: sums.get(name, 0) for name in COUNTS},
    }


def review(number: int, text: str, rating: int) -> dict[str, Any]:
    return {
        "_index": "events",
        "_id": f"api-review-{number}",
        "event_id": f"api-review-{number}",
        "event_type": "review_submitted",
        "event_time": f"2004-05-06T07:00:{number:02d}Z",
        "product_id": "P-1",
        "user_id": "u-1",
        "device_id": "secret-device",
        "text": text,
        "rating": rating,
    }


DOCUMENTS = [
    metric(0, "category", "books", "EUR", events=2, orders=2, revenue_minor=1_050),
    metric(10, "category", "books", "EUR", events=1, orders=1, revenue_minor=700),
    metric(10, "category", "toys", "USD", events=1, orders=1, revenue_minor=300),
    metric(20, "category", "books", events=5),
    metric(20, "all", "all", events=9),
    review(1, "A wonderful lamp, bright and warm", 5),
    review(2, "The lamp broke", 1),
    review(3, "Wonderful chair", 4),
    *(
        {
            "_index": "inventory",
            "_id": f"api-{level}",
            "product_id": "api-product",
            "warehouse_id": f"w-{level}",
            "level": level,
            "status": "low",
        }
        for level in (7, 0, 3)
    ),
    {
        "_index": "fraud-alerts",
        "_id": "api-1",
        "alert_id": "api-1",
        "rule": "velocity",
        "severity": "high",
        "event_time": "2004-05-06T07:30:00Z",
    },
    {
        "_index": "recommendations",
        "_id": "user:u-1",
        "subject_kind": "user",
        "subject_id": "u-1",
        "items": [{"product_id": "P-1", "score": 0.5}, {"product_id": "P-2", "score": 0.25}],
    },
    {
        "_index": "recommendations",
        "_id": "everybody",
        "subject_kind": "everybody",
        "items": [{"product_id": "P-9", "score": 1.0}],
    },
    {"_index": "pipeline-health", "_id": "api", "time": "2004-05-06T07:10:00Z", "kind": "stream", "subject": "api"},
]


def serving(settings: Settings) -> AbstractContextManager[str]:
    return served(create_app(settings))


@pytest.fixture(scope="module")
def loaded(elasticsearch: Settings) -> Settings:
    with connect(elasticsearch) as search:
        install(search)
        bulk(search, DOCUMENTS)
        for alias in Alias:
            search.indices.refresh(index=alias.value)
    return elasticsearch


@pytest.fixture(scope="module")
def api(loaded: Settings) -> Iterator[httpx.Client]:
    with serving(loaded) as url, httpx.Client(base_url=url, timeout=20) as client:
        yield client


def answer(api: httpx.Client, path: str, **asked: Any) -> dict[str, Any]:
    found = api.get(path, params=asked)
    assert found.status_code == 200, found.text
    body: dict[str, Any] = found.json()
    return body


def test_it_lives_and_is_ready(api: httpx.Client) -> None:
    assert answer(api, "/healthz") == {"status": "ok"}
    assert answer(api, "/readyz") == {"status": "ok"}


def test_key_figures_are_those_of_the_command_line(api: httpx.Client) -> None:
    found = answer(api, "/v1/kpis", minutes=5)
    assert len(found["series"]) == 6
    assert {"sales", "active_users", "conversion_rate", "freshness"} <= found.keys()


def test_a_series_has_sums_by_bucket_and_money_by_currency(api: httpx.Client) -> None:
    asked = {"since": "2004-05-06T07:00:00Z", "until": "2004-05-06T07:00:30Z", "interval": "10s"}
    found = answer(api, "/v1/kpis/series", dimension="category", **asked)
    books, toys = found["series"]
    assert (books["value"], toys["value"]) == ("books", "toys")
    points = [(point["events"], point["orders"], point["revenue"]) for point in books["points"]]
    assert points == [(2, 2, {"EUR": "10.50"}), (1, 1, {"EUR": "7.00"}), (5, 0, {})]
    assert found["freshness"]["layers"]["speed"]
    assert found["freshness"]["complete_up_to"] >= "2004-05-06T07:00:59.000Z"


def test_one_value_of_a_dimension_can_be_asked_for(api: httpx.Client) -> None:
    found = answer(api, "/v1/kpis/series", dimension="category", value="toys", interval="1h", **RANGE)
    assert [(series["value"], series["points"][0]["revenue"]) for series in found["series"]] == [
        ("toys", {"USD": "3.00"})
    ]


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({"q": "wonderful"}, ["api-review-3", "api-review-1"]),
        ({"q": "lamp wonderful"}, ["api-review-1"]),
        ({"q": "lamp OR chair*"}, []),
        ({"rating_max": 4, "sort": "rating"}, ["api-review-2", "api-review-3"]),
        ({"product_id": "P-2"}, []),
    ],
)
def test_reviews_are_found_by_words_and_filters(api: httpx.Client, asked: dict[str, Any], ids: list[str]) -> None:
    found = answer(api, "/v1/events", event_type="review_submitted", **RANGE, **asked)
    assert [item["id"] for item in found["items"]] == ids


def test_ratings_are_averages_by_product_with_their_stars(api: httpx.Client) -> None:
    found = answer(api, "/v1/ratings", sort="-rating", **RANGE)
    assert found["products"] == [
        {"product_id": "P-1", "reviews": 3, "rating": 3.33, "stars": {"1": 1, "4": 1, "5": 1}},
    ]
    assert answer(api, "/v1/ratings", product_id="P-2", **RANGE)["products"] == []


def test_personal_fields_are_left_out(api: httpx.Client) -> None:
    (item,) = answer(api, "/v1/events", q="chair", **RANGE)["items"]
    assert item["text"] == "Wonderful chair"
    assert "device_id" not in item


def test_pages_follow_each_other_and_show_the_state_of_the_first(api: httpx.Client, loaded: Settings) -> None:
    first = answer(api, "/v1/events", limit=2, product_id="P-1", **RANGE)
    assert [item["rating"] for item in first["items"]] == [4, 1]
    with connect(loaded) as search:
        late = review(0, "late", 3)
        search.index(index=late.pop("_index"), id=late.pop("_id"), document=late, refresh=True)
    second = answer(api, "/v1/events", limit=2, product_id="P-1", cursor=first["next_cursor"], **RANGE)
    assert [item["rating"] for item in second["items"]] == [5]
    assert second["next_cursor"] is None


def test_a_cursor_of_other_filters_or_of_nobody_is_refused(api: httpx.Client) -> None:
    first = answer(api, "/v1/events", limit=2, product_id="P-1", **RANGE)
    other = api.get("/v1/events", params={"product_id": "P-2", "cursor": first["next_cursor"], **RANGE})
    assert (other.status_code, other.json()["detail"]) == (
        400,
        "cursor: it belongs to other filters; leave it out for the first page",
    )
    assert api.get("/v1/events", params={"cursor": "bm9uZQ==", **RANGE}).status_code == 400


def test_stock_comes_lowest_first_and_fraud_by_severity(api: httpx.Client) -> None:
    found = answer(api, "/v1/stock", product_id="api-product")
    assert [item["level"] for item in found["items"]] == [0, 3, 7]
    assert [item["id"] for item in answer(api, "/v1/fraud-alerts", severity="high", **RANGE)["items"]] == ["api-1"]
    assert answer(api, "/v1/fraud-alerts", severity="low", **RANGE)["items"] == []


def test_who_is_not_known_gets_what_everybody_gets(api: httpx.Client) -> None:
    known = answer(api, "/v1/recommendations/user/u-1", limit=1, live=False)
    assert (known["personal"], [item["product_id"] for item in known["items"]]) == (True, ["P-1"])
    unknown = answer(api, "/v1/recommendations/user/u-2")
    assert (unknown["personal"], [item["product_id"] for item in unknown["items"]]) == (False, ["P-9"])


def test_observations_of_the_platform_can_be_read(api: httpx.Client) -> None:
    (item,) = answer(api, "/v1/pipeline-health", subject="api", **RANGE)["items"]
    assert item["kind"] == "stream"


@pytest.mark.parametrize(
    ("path", "asked", "complaint"),
    [
        ("/v1/kpis", {"minutes": 0}, "greater than or equal to 1"),
        ("/v1/kpis/series", {"interval": "2s"}, "Input should be '10s'"),
        ("/v1/kpis/series", {"since": "2004-01-01T00:00:00Z", "interval": "10s"}, "more than 10000"),
        ("/v1/events", {"limit": 1000}, "less than or equal to 200"),
        ("/v1/stock", {"produkt": "P-1"}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    api: httpx.Client, path: str, asked: dict[str, Any], complaint: str
) -> None:
    found = api.get(path, params=asked)
    assert found.status_code == 422
    assert complaint in found.text


def test_many_listeners_cost_one_look_per_tick(api: httpx.Client) -> None:
    def listen(messages: list[str]) -> None:
        with httpx.Client(base_url=api.base_url, timeout=20) as own, own.stream("GET", "/v1/kpis/stream") as stream:
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    messages.append(line)
                if len(messages) == 2:
                    return

    def searches() -> int:
        lines = api.get("/metrics").text.splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("platform_api_searches ")))

    before = searches()
    heard: list[list[str]] = [[] for _ in range(20)]
    threads = [threading.Thread(target=listen, args=[messages]) for messages in heard]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(len(messages) == 2 for messages in heard)
    assert "active_users" in json.loads(heard[0][0].removeprefix("data: "))
    assert searches() - before <= 5


def test_an_absent_elasticsearch_is_said_and_the_process_still_lives(loaded: Settings) -> None:
    absent = loaded.model_copy(update={"elasticsearch_url": "http://127.0.0.1:9"})
    with serving(absent) as url, httpx.Client(base_url=url) as client:
        assert client.get("/healthz").status_code == 200
        for path in ("/readyz", "/v1/kpis", "/v1/stock"):
            found = client.get(path)
            assert (found.status_code, found.headers["Retry-After"]) == (503, "2")
            assert "elasticsearch is not available" in found.json()["detail"]


def test_a_token_is_asked_for_where_tokens_are_set(loaded: Settings) -> None:
    guarded = loaded.model_copy(update={"api_tokens": SecretStr("first,second")})
    with serving(guarded) as url, httpx.Client(base_url=url) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/v1/stock").status_code == 401
        assert client.get("/v1/stock", headers={"Authorization": "Bearer third"}).status_code == 401
        assert client.get("/v1/stock", headers={"Authorization": "Bearer second"}).status_code == 200


def test_a_token_reads_what_it_may_and_is_told_what_that_is(loaded: Settings) -> None:
    changes = {"api_tokens": SecretStr("shelf:stock+figures"), "api_requests_per_minute": 3}
    head = {"Authorization": "Bearer shelf"}
    with serving(loaded.model_copy(update=changes)) as url, httpx.Client(base_url=url, headers=head) as client:
        assert client.get("/v1/stock").status_code == 200
        refused = client.get("/v1/fraud-alerts")
        assert refused.status_code == 403
        assert refused.json()["detail"] == "this token may not read fraud: it may read figures, stock (API_TOKENS)"
        answers = [client.get("/v1/stock") for _ in range(3)]
        assert [found.status_code for found in answers] == [200, 200, 429]
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


def test_the_description_names_every_route(api: httpx.Client) -> None:
    described = answer(api, "/openapi.json")["paths"]
    assert {"/v1/kpis", "/v1/kpis/stream", "/v1/kpis/series", "/v1/events", "/v1/stock"} <= described.keys()
