"""A person in a real Elasticsearch: found wherever named, replaced, and what is only theirs deleted."""

from typing import Any

from elasticsearch import Elasticsearch

from include.config import Settings
from include.erasure import indices
from include.erasure.person import Person
from include.names import Alias
from include.serving.client import connect
from include.serving.indices import install

ANN = Person("ann.erasure", "erased-1")
TIME = "2026-03-10T12:00:00Z"


def put(client: Elasticsearch, alias: Alias, name: str, **document: Any) -> None:
    client.index(index=alias.value, id=name, document=document)


def source(client: Elasticsearch, alias: Alias, name: str) -> dict[str, Any]:
    (hit,) = client.search(index=alias.value, query={"ids": {"values": [name]}})["hits"]["hits"]
    found: dict[str, Any] = hit["_source"]
    return found


def test_a_person_is_replaced_in_every_index_and_nobody_else_is(elasticsearch: Settings) -> None:
    with connect(elasticsearch, timeout_seconds=60) as client:
        install(client)
        event = {"topic": "purchases", "event_type": "order_placed", "event_time": TIME, "device_id": "phone-1"}
        put(client, Alias.EVENTS, "erasure-a", event_id="erasure-a", user_id="ann.erasure", total_minor=1000, **event)
        put(client, Alias.EVENTS, "erasure-b", event_id="erasure-b", user_id="ann.erasure2", total_minor=2000, **event)
        said = "ann.erasure ordered for 900.00"
        put(client, Alias.FRAUD_ALERTS, "erasure-f", user_id="ann.erasure", message=said, event_time=TIME)
        put(
            client,
            Alias.ALERTS,
            "erasure-i",
            subject="Order of ann.erasure",
            evidence={"who": "ann.erasure"},
            time=TIME,
        )
        mine: dict[str, Any] = {"subject_kind": "user", "subject_id": "ann.erasure", "rank_count": 0}
        put(client, Alias.RECOMMENDATIONS, "erasure-r", **mine)
        found = {f"elasticsearch.{name}": 1 for name in ("events", "recommendations", "fraud-alerts", "alerts")}

        assert indices.count(client, ANN) == found
        assert indices.erase(client, ANN) == found
        assert indices.count(client, ANN) == indices.erase(client, ANN) == {}

        a, b = source(client, Alias.EVENTS, "erasure-a"), source(client, Alias.EVENTS, "erasure-b")
        assert (a["user_id"], a["device_id"], a["total_minor"]) == ("erased-1", "erased", 1000)
        assert (b["user_id"], b["device_id"]) == ("ann.erasure2", "phone-1")
        assert source(client, Alias.FRAUD_ALERTS, "erasure-f")["message"] == "erased-1 ordered for 900.00"
        assert source(client, Alias.ALERTS, "erasure-i")["evidence"] == {"who": "erased-1"}
        assert not client.exists(index=Alias.RECOMMENDATIONS.value, id="erasure-r")
