import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from include.config import Settings
from include.errors import ConfigurationError
from include.local.airflow_settings import connection_fields, overrides, read
from include.names import Connection, Pool, Variable
from include.supervision.speed_layer import LOCAL_MASTER


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "ELASTICSEARCH_URL", "SLACK_WEBHOOK_URL", "SMTP_HOST"):
        monkeypatch.delenv(name, raising=False)
    return Settings(_env_file=None)  # type: ignore[call-arg]


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "airflow_settings.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_file_declares_every_connection_pool_and_variable_that_has_a_name() -> None:
    objects = read()

    assert {entry.conn_id for entry in objects.connections} == set(Connection)
    assert {entry.pool_name for entry in objects.pools} == set(Pool)
    assert {entry.variable_name for entry in objects.variables} == set(Variable)


def test_the_files_addresses_are_those_of_the_default_settings(settings: Settings) -> None:
    for entry in read().connections:
        from_settings = connection_fields(entry, overrides(settings).get(entry.conn_id, {}))
        assert from_settings == connection_fields(entry, {}), entry.conn_id


def test_addresses_and_secrets_of_the_settings_replace_those_of_the_file(settings: Settings) -> None:
    mine = settings.model_copy(
        update={
            "kafka_bootstrap_servers": "broker-1:9092,broker-2:9092",
            "elasticsearch_url": "https://search.example:9243",
            "elasticsearch_api_key": SecretStr("key"),
            "slack_webhook_url": SecretStr("https://hooks.slack.com/services/T0/B0/secret"),
            "smtp_host": "mail.example",
            "smtp_port": 587,
            "smtp_user": "me",
            "smtp_password": SecretStr("password"),
            "smtp_starttls": True,
        }
    )
    decided = overrides(mine)
    fields = {entry.conn_id: connection_fields(entry, decided.get(entry.conn_id, {})) for entry in read().connections}

    kafka = json.loads(fields[Connection.KAFKA]["extra"])
    assert kafka["bootstrap.servers"] == "broker-1:9092,broker-2:9092"
    assert kafka["group.id"] == "airflow"
    search = fields[Connection.ELASTICSEARCH]
    assert (search["schema"], search["host"], search["port"]) == ("https", "search.example", 9243)
    assert json.loads(search["extra"]) == {"api_key": "key"}
    slack = fields[Connection.SLACK]
    assert (slack["host"], slack["password"]) == ("https://hooks.slack.com/services", "T0/B0/secret")
    mail = fields[Connection.SMTP]
    assert (mail["host"], mail["port"], mail["login"], mail["password"]) == ("mail.example", 587, "me", "password")
    assert json.loads(mail["extra"])["disable_tls"] is False
    assert fields[Connection.SPARK]["host"] == LOCAL_MASTER


def test_a_webhook_that_is_not_slacks_is_kept_whole(settings: Settings) -> None:
    mine = settings.model_copy(update={"slack_webhook_url": SecretStr("http://localhost:9099/hook")})

    assert overrides(mine)[Connection.SLACK]["password"] == "http://localhost:9099/hook"


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ("connections: [{conn_id: a, conn_type: kafka, conn_extra: {bootstrap.servers: b}}]", "conn_extra"),
        ("connections: [{conn_id: a, conn_type: kafka, conn_extra: '[1]'}]", "JSON object"),
        ('connections: [{conn_id: a, conn_type: http, conn_password: "it\'s"}]', "single quote"),
        ("connections: [{conn_id: a, conn_type: http, conn_port: '80'}]", "conn_port"),
        ("connections: [{conn_id: a}]", "conn_type"),
        ("connections: [{conn_id: a, conn_type: http, host: b}]", "connections.0.host"),
        ("pools: [{pool_name: a, pool_slot: 0}]", "pool_slot"),
        ("pools: [{pool_name: a, pool_slot: 1}, {pool_name: a, pool_slot: 2}]", "declared twice: pool a"),
        ("variables: [{variable_name: a, variable_value: 5}]", "variable_value"),
    ],
)
def test_what_the_astro_cli_would_misread_is_refused_by_name(tmp_path: Path, entry: str, named: str) -> None:
    path = _write(tmp_path, f"airflow:\n  {entry}\n")

    with pytest.raises(ConfigurationError, match=named):
        read(path)


def test_a_file_that_is_not_yaml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not YAML"):
        read(_write(tmp_path, "airflow: [\n"))
