import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from elasticsearch import BadRequestError, Elasticsearch

from include.config import Settings
from include.errors import ConfigurationError, PartUnavailableError
from include.names import Alias, Part
from include.serving import aliases, indices
from include.serving.client import connect, reachable
from include.serving.pipeline_health import HealthRecord, publish


@pytest.fixture
def client(elasticsearch: Settings) -> Iterator[Elasticsearch]:
    with connect(elasticsearch) as search:
        indices.install(search)
        yield search


@pytest.fixture
def other_templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for alias in Alias:
        text = (indices.TEMPLATE_DIR / f"{alias.value}.json").read_text(encoding="utf-8")
        (tmp_path / f"{alias.value}.json").write_text(text, encoding="utf-8")
    monkeypatch.setattr(indices, "TEMPLATE_DIR", tmp_path)
    return tmp_path


def add_field(folder: Path, alias: Alias, name: str, kind: str) -> None:
    path = folder / f"{alias.value}.json"
    template = json.loads(path.read_text(encoding="utf-8"))
    template["template"]["mappings"]["properties"][name] = {"type": kind}
    path.write_text(json.dumps(template), encoding="utf-8")


def test_each_alias_has_an_index_and_a_second_install_makes_none(client: Elasticsearch) -> None:
    for alias in Alias:
        assert aliases.indices_behind(client, alias)
    behind = aliases.indices_behind(client, Alias.METRICS)
    assert {"metrics-speed-000001", "metrics-activity-000001"} <= set(behind)
    assert indices.install(client) == []


def test_a_field_that_the_mapping_does_not_know_is_refused(client: Elasticsearch) -> None:
    with pytest.raises(BadRequestError, match="strict_dynamic_mapping_exception"):
        client.index(index=Alias.EVENTS.value, document={"event_id": "e-1", "surprise": 1})


def test_a_new_field_is_added_to_indices_in_use(client: Elasticsearch, other_templates: Path) -> None:
    add_field(other_templates, Alias.INVENTORY, "shelf", "keyword")
    indices.install(client)
    (mapping,) = client.indices.get_mapping(index=Alias.INVENTORY.value).body.values()
    assert mapping["mappings"]["properties"]["shelf"] == {"type": "keyword"}


def test_a_changed_type_is_refused_with_the_way_out(client: Elasticsearch, other_templates: Path) -> None:
    add_field(other_templates, Alias.INVENTORY, "level", "keyword")
    with pytest.raises(ConfigurationError, match=r"\[level\] cannot be changed .*main\.py reindex inventory"):
        indices.install(client)


def test_indices_change_places_behind_an_alias_in_one_action(client: Elasticsearch) -> None:
    (old,) = aliases.indices_behind(client, Alias.RECOMMENDATIONS)
    new = aliases.next_index(client, Alias.RECOMMENDATIONS)
    assert aliases.create_index(client, new)
    assert not aliases.create_index(client, new)
    assert aliases.indices_behind(client, Alias.RECOMMENDATIONS) == [old]
    aliases.switch(client, Alias.RECOMMENDATIONS, add=[new], remove=[old], write_index=new)
    assert aliases.indices_behind(client, Alias.RECOMMENDATIONS) == [new]
    stored = client.index(index=Alias.RECOMMENDATIONS.value, document={"subject_id": "u-1"})
    assert stored["_index"] == new


def test_a_switch_that_names_an_index_not_behind_the_alias_changes_nothing(client: Elasticsearch) -> None:
    before = aliases.indices_behind(client, Alias.METRICS)
    new = aliases.next_index(client, Alias.METRICS, "metrics-batch-2001-01-01")
    aliases.create_index(client, new)
    with pytest.raises(Exception, match="aliases_not_found_exception"):
        aliases.switch(client, Alias.METRICS, add=[new], remove=["metrics-speed-000001", new])
    assert aliases.indices_behind(client, Alias.METRICS) == before


def test_health_records_are_stored_with_numbers_to_aggregate(client: Elasticsearch) -> None:
    moment = datetime(2001, 5, 6, 7, 8, 9, tzinfo=UTC)
    records = [
        HealthRecord(moment, "stream", "test_indices", "ok", metrics={"lag": 7, "batch_ms": 12.5, "p99.9": 3}),
        HealthRecord(moment, "stream", "test_indices", "failed", "no progress", {"lag": 9}, {"offsets": {"t": [1, 2]}}),
    ]
    assert publish(client, records) == 2
    client.indices.refresh(index=Alias.PIPELINE_HEALTH.value)
    answer = client.search(
        index=Alias.PIPELINE_HEALTH.value,
        query={"term": {"subject": "test_indices"}},
        aggs={"lag": {"sum": {"field": "metrics.lag"}}, "batch": {"max": {"field": "metrics.batch_ms"}}},
    )
    assert answer["aggregations"]["lag"]["value"] == 16
    assert answer["aggregations"]["batch"]["value"] == 12.5


def test_an_absent_server_is_named(elasticsearch: Settings) -> None:
    absent = elasticsearch.model_copy(update={"elasticsearch_url": "http://127.0.0.1:9"})
    with connect(absent) as search, pytest.raises(PartUnavailableError) as raised, reachable(absent):
        search.cluster.health()
    assert raised.value.part == Part.ELASTICSEARCH
    assert "http://127.0.0.1:9" in str(raised.value)
