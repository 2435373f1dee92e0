"""The collector in a real server, before a real broker, with the SDK that shops use, unmodified."""

import gzip
import json
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from segment.analytics.client import Client

from include.collector.app import create_app
from include.config import Settings
from include.contracts.validation import check
from include.local.ports import find_free
from include.messaging.tail import tail
from include.messaging.topics import end_offsets
from include.names import RAW_TOPICS, Topic
from tests.integration.web_server import served

KEY = "write-key"


def collecting(settings: Settings) -> AbstractContextManager[str]:
    return served(create_app(settings.model_copy(update={"collector_write_keys": SecretStr(KEY)})))


def arrived(settings: Settings, before: dict[str, dict[int, int]]) -> list[tuple[str, dict[str, Any]]]:
    records = tail(settings, list(RAW_TOPICS), beginning=True, idle_seconds=3)
    new = [record for record in records if record.offset >= before[record.topic].get(record.partition, 0)]
    return [(record.topic, json.loads(record.value or "")) for record in new]


def viewed(number: int, **more: Any) -> dict[str, Any]:
    message = {"type": "track", "event": "Product Viewed", "userId": "ann", "messageId": f"message-{number:04d}"}
    return {**message, "properties": {"product_id": "mug-1"}, **more}


@pytest.mark.parametrize("packed", [False, True])
def test_the_sdk_of_a_shop_sends_its_events_here(kafka: Settings, packed: bool) -> None:
    before = end_offsets(kafka)
    problems: list[Any] = []
    with collecting(kafka) as url:
        shop = Client(KEY, host=url, gzip=packed, on_error=lambda error, batch: problems.append(error))
        shop.identify("ann", {"name": "Ann"})
        shop.page("ann", "Shop", "Mugs", {"path": "/mugs"}, context={"sessionId": "visit-1"})
        for number in range(50):
            shop.track("ann", "Product Viewed", {"product_id": f"mug-{number}", "price": 9.9, "currency": "EUR"})
        products = [{"product_id": "mug-1", "category": "Mugs", "quantity": 2, "price": 9.9}]
        shop.track("ann", "Order Completed", {"order_id": "o-1", "products": products, "currency": "EUR"})
        shop.flush()
        shop.shutdown()
    found = arrived(kafka, before)
    assert problems == []
    assert sorted(event["event_type"] for _, event in found) == ["order_placed", "page_view"] + ["product_view"] * 50
    assert [event["total"] for topic, event in found if topic == Topic.PURCHASES] == ["19.80"]
    assert [check(json.dumps(event).encode(), Topic(topic)) for topic, event in found] == [None] * 52


def test_one_bad_event_never_refuses_its_batch_and_is_kept_for_the_dead_letters(kafka: Settings) -> None:
    before = end_offsets(kafka)
    batch = [viewed(1), viewed(2, properties={}), "nothing", viewed(3, type="identify"), viewed(4)]
    with collecting(kafka) as url:
        answer = httpx.post(f"{url}/v1/batch", json={"batch": batch, "writeKey": KEY}).json()
    assert (answer["accepted"], answer["left_out"]) == (3, 1)
    assert [(one["index"], one["field"]) for one in answer["refused"]] == [(1, "product_id"), (2, "")]
    assert sorted(event["event_id"] for _, event in arrived(kafka, before)) == [f"message-000{n}" for n in (1, 2, 4)]


def test_wrong_keys_and_bodies_are_refused_with_the_reason(kafka: Settings) -> None:
    bomb = gzip.compress(b"[" * 40_000_000)
    packed = {"Content-Encoding": "gzip"}
    with collecting(kafka) as url, httpx.Client(base_url=url) as client:
        assert client.post("/v1/track", json=viewed(1), auth=("another", "")).status_code == 401
        assert client.post("/v1/track", json=viewed(1), auth=(KEY, "")).status_code == 200
        wrong = client.post("/v1/batch", content=b"{", auth=(KEY, ""))
        assert (wrong.status_code, wrong.json()["detail"][:19]) == (400, "the body is no JSON")
        assert (
            client.post("/v1/batch", json={"writeKey": KEY}).json()["detail"] == "batch: a list of messages is needed"
        )
        assert client.post("/v1/batch", content=bomb, headers=packed, auth=(KEY, "")).status_code == 400
        assert client.post("/v1/batch", content=b" " * 600_000, auth=(KEY, "")).status_code == 413


def test_while_the_broker_is_away_nothing_is_promised(kafka: Settings) -> None:
    (port,) = find_free(1)
    away = kafka.model_copy(update={"kafka_bootstrap_servers": f"127.0.0.1:{port}"})
    with collecting(away) as url:
        answer = httpx.post(f"{url}/v1/track", json={**viewed(1), "writeKey": KEY}, timeout=30)
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()["success"]) == (503, "2", False)
    assert "send again, nothing counts twice" in answer.json()["message"]
