"""Names that others rely on."""

import re

import pytest

from include.config import Settings
from include.local.grafana import Grafana
from include.local.services import services
from include.names import RAW_TOPICS, SILVER_BY_TOPIC, Alias, Part, Table, Topic


def test_every_raw_topic_has_its_silver_table() -> None:
    assert set(SILVER_BY_TOPIC) == set(RAW_TOPICS)


def test_every_table_names_its_layer() -> None:
    assert {table.value.split(".")[0] for table in Table} == {"bronze", "silver", "gold", "ops"}


def test_kafka_and_elasticsearch_take_the_names() -> None:
    assert all(re.fullmatch(r"[a-z][a-z-]*", name.value) for name in (*Topic, *Alias))


@pytest.fixture(autouse=True)
def grafana_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Grafana, "program_file", None)


def test_every_part_is_started_by_the_local_platform() -> None:
    # Grafana is a part where it is installed only: tests/unit/test_local_grafana.py
    assert set(services(Settings(_env_file=None))) == set(Part) - {Part.GRAFANA}


def test_no_demo_traffic_and_no_server_where_others_are_named() -> None:
    settings = Settings(_env_file=None, demo_rate=0, kafka_bootstrap_servers="a:1", elasticsearch_url="http://b:2")
    assert set(Part) - set(services(settings)) == {
        Part.DEMO_TRAFFIC,
        Part.KAFKA,
        Part.ELASTICSEARCH,
        Part.GRAFANA,
    }
