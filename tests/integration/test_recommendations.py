"""Recommendations from a training's folder to what is served, in a real Elasticsearch."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from include.alerting.alert import Alert
from include.alerting.store import connection, store_path
from include.cli.application import build
from include.config import Settings, get_settings
from include.names import Alias
from include.recommendations.publishing import publish_training
from include.recommendations.records import published
from include.serving.aliases import indices_behind
from include.serving.api.app import create_app
from include.serving.client import connect
from include.serving.indices import install
from include.supervision.spark_submit import settings_environment

QUALITY = {"customers": 100, "recall": 0.3, "hit_rate": 0.8, "coverage": 0.2}


@pytest.fixture
def settings(elasticsearch: Settings, tmp_path: Path) -> Settings:
    return elasticsearch.model_copy(update={"platform_data_dir": tmp_path})


@pytest.fixture
def client(settings: Settings) -> Iterator[Elasticsearch]:
    with connect(settings) as search:
        install(search)
        yield search


def training(settings: Settings, version: str, publish: str | None, **lists: str) -> Path:
    """A training's folder; each list is a subject with the products to show, as letters."""
    folder = settings.platform_data_dir / "recommendations" / version
    (folder / "documents").mkdir(parents=True)
    lines = []
    for subject, products in lists.items():
        kind, _, name = subject.partition("_")
        source = {
            "subject_kind": kind,
            "subject_id": name or kind,
            "items": [{"product_id": letter, "category": "toys", "score": 0.5, "reason": "x"} for letter in products],
            "model_version": version,
            "processed_at": "2026-03-02T12:00:00.000Z",
        }
        lines += [json.dumps({"index": {"_id": subject}}), json.dumps(source)]
    (folder / "documents" / "part-0.txt").write_text("\n".join(lines) + "\n")
    result = {"publish": publish, "reason": "so", "personal": QUALITY, "popular": QUALITY}
    (folder / "result.json").write_text(json.dumps({**result, "model_version": version, "seconds": 3.0}))
    return folder


def looked_at(client: Elasticsearch, user: str, product: str, seconds_ago: float) -> None:
    time = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    body = {"user_id": user, "event_type": "product_view", "product_id": product, "event_time": time.isoformat()}
    client.index(index=Alias.EVENTS.value, document=body, refresh=True)


def shown(answer: dict[str, Any]) -> str:
    return "".join(item["product_id"] for item in answer["items"])


def alerts(settings: Settings) -> list[Alert]:
    with connection(store_path(settings)) as database:
        rows = database.execute("SELECT body FROM incoming ORDER BY place").fetchall()
    return [Alert.model_validate_json(row["body"]) for row in rows]


def test_a_training_is_published_served_and_ranked_anew_by_what_is_looked_at(
    settings: Settings, client: Elasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = publish_training(
        settings,
        training(
            settings,
            "1",
            "personal",
            everybody="xyz",
            user_ann="abcd",
            product_k="dpq",
            **{f"user_{number}": "abc" for number in range(100)},
        ),
    )
    assert (done["documents"], indices_behind(client, Alias.RECOMMENDATIONS)) == (103, [done["index"]])
    assert published(settings) == {
        "kind": "personal",
        "recall": 0.3,
        "model_version": "1",
        "published_at": published(settings)["published_at"],  # type: ignore[index]
    }

    with TestClient(create_app(settings)) as api:
        assert shown(api.get("/v1/recommendations/user/ann").json()) == "abcd"
        assert shown(api.get("/v1/recommendations/user/nobody").json()) == "xyz"
        assert shown(api.get("/v1/recommendations/user/ann?viewed=k").json()) == "dabpcq"
        assert api.get(f"/v1/recommendations/user/ann?viewed={'a' * 1000}").status_code == 422
        looked_at(client, "ann", "k", 40)
        looked_at(client, "ann", "a", 20)
        looked_at(client, "ann", "b", 4_000)
        live = api.get("/v1/recommendations/user/ann").json()
        assert (live["viewed"], shown(live), live["items"][3]["reason"]) == (["a", "k"], "dbcpq", "goes with k")
        assert shown(api.get("/v1/recommendations/user/ann?live=false").json()) == "abcd"
        assert shown(api.get("/v1/recommendations/product/k?limit=2").json()) == "dp"

    for name, value in settings_environment(settings).items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    said = CliRunner().invoke(build(), ["recommend", "--user", "ann", "--json"])
    table = CliRunner().invoke(build(), ["recommend", "--product", "k", "--limit", "1"])
    get_settings.cache_clear()
    assert shown(json.loads(said.stdout)) == "dbcpq"
    assert "For product k; model 1" in table.stdout
    assert CliRunner().invoke(build(), ["recommend"]).exit_code == 2


def test_a_worse_training_is_told_and_not_shown(settings: Settings, client: Elasticsearch) -> None:
    publish_training(settings, training(settings, "2", "personal", everybody="abc"))
    before = indices_behind(client, Alias.RECOMMENDATIONS)

    publish_training(settings, training(settings, "3", None, everybody="nope"))

    assert indices_behind(client, Alias.RECOMMENDATIONS) == before
    assert [(alert.subject, alert.resolved) for alert in alerts(settings)] == [
        ("Recommendations 2: so", True),
        ("New recommendations are not shown: so", False),
    ]
    client.indices.refresh(index=Alias.PIPELINE_HEALTH.value)
    query = {"bool": {"filter": [{"term": {"kind": "recommendations"}}, {"term": {"subject": "3"}}]}}
    (hit,) = client.search(index=Alias.PIPELINE_HEALTH.value, query=query)["hits"]["hits"]
    assert (hit["_source"]["status"], hit["_source"]["metrics"]["personal_recall"]) == ("degraded", 0.3)
