"""Log-in and encryption by settings, with certificates made here: brokers, Elasticsearch, servers of the platform."""

import gc
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from confluent_kafka.admin import AclOperation
from kafka.errors import KafkaError
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from include.config import PROJECT_ROOT, Settings
from include.errors import PartUnavailableError
from include.local.ports import find_free
from include.messaging.tail import tail
from include.messaging.topics import create_topics
from include.names import Alias, Query, Topic
from include.producers.sender import Sender
from include.serving.bulk import Document, bulk_writer
from include.serving.client import connect, reachable
from include.serving.indices import install
from include.trust import trust
from spark_jobs.io import Stream, read, write
from tests.integration.secured import HOST, PASSWORD, Authority, SecuredBroker, encrypted, secured_broker
from tests.integration.speed_layer_rig import live_session


@pytest.fixture(scope="module")
def broker() -> Iterator[SecuredBroker]:
    with secured_broker() as running:
        create_topics(running.with_password)
        yield running


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    with live_session() as session:
        yield session


def send(settings: Settings, *values: str) -> list[str]:
    """Sends to the topic of purchases; gives what the broker said of those that it did not take."""
    problems: list[str] = []
    sender = Sender(settings)
    sender.connect(10)
    for value in values:
        sender.send(
            Topic.PURCHASES.value,
            b"key",
            value.encode(),
            lambda error, _: problems.append(error.name()) if error else None,
        )
    sender.finish(15)
    return problems


def received(settings: Settings) -> list[str]:
    return sorted(
        (record.value or b"").decode() for record in tail(settings, [Topic.PURCHASES.value], True, idle_seconds=2)
    )


def test_all_three_clients_log_in_and_are_encrypted(broker: SecuredBroker, spark: SparkSession) -> None:
    settings = broker.with_password
    assert send(settings, "one", "two") == []
    assert received(settings) == ["one", "two"]
    seen: list[str] = []
    value = F.col("value").cast("string")
    rows = read(spark, [Topic.PURCHASES], settings).select(value).collect()
    stream = read(spark, [Topic.PURCHASES], settings, stream=True).select(value.alias("value"))
    query = write(
        stream,
        lambda batch, _: seen.extend(row["value"] for row in batch.collect()),
        settings,
        stream=Stream(Query.LIVE_METRICS, None),
    )
    assert query is not None
    query.awaitTermination(60)
    assert sorted(row[0] for row in rows) == sorted(seen) == ["one", "two"]


def test_spark_shows_neither_password_nor_key(broker: SecuredBroker, spark: SparkSession) -> None:
    looker = broker.with_certificate("looker")
    broker.allow("looker", Topic.PURCHASES.value, AclOperation.READ, AclOperation.DESCRIBE)
    for settings in (broker.with_password, looker):
        frame = read(spark, [Topic.PURCHASES], settings)
        plan = frame._jdf.queryExecution().toString()
        assert "quoted" not in plan
        assert "PRIVATE KEY" not in plan


def test_a_certificate_says_who_comes_and_rights_what_they_may(broker: SecuredBroker, spark: SparkSession) -> None:
    reader = broker.with_certificate("reader")
    broker.allow("reader", Topic.PURCHASES.value, AclOperation.READ, AclOperation.DESCRIBE)
    assert "one" in received(reader)
    assert read(spark, [Topic.PURCHASES], reader).count() == 2
    with pytest.raises(PartUnavailableError, match=r"refuses this sender.*authorization failed.*may its user write"):
        send(reader, "three")
    assert "three" not in received(reader)


def test_a_wrong_password_and_an_unknown_authority_are_refused(broker: SecuredBroker, tmp_path: Path) -> None:
    for changes in ({"kafka_password": "wrong"}, {"kafka_ca_file": Authority(tmp_path).file}):
        settings = Settings(_env_file=None, **{**broker.with_password.model_dump(), **changes})
        with pytest.raises((PartUnavailableError, KafkaError)) as refused:
            create_topics(settings)
        assert PASSWORD not in str(refused.value)


# The client leaves the socket of a handshake that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_elasticsearch_is_reached_through_tls_of_an_authority_of_ones_own(
    elasticsearch: Settings, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    with encrypted(elasticsearch.search_url, authority.issue("search")) as address:
        known = Settings(_env_file=None, elasticsearch_url=address, elasticsearch_ca_file=authority.file)
        with connect(known) as client:
            install(client)
            written = Document('{"index":{"_id":"tls-1"}}', '{"kind":"test_encryption","time":"2003-04-05T06:07:08Z"}')
            bulk_writer(known, at_once=True).send(Alias.PIPELINE_HEALTH, [written])
            found = client.search(index=Alias.PIPELINE_HEALTH.value, query={"term": {"kind": "test_encryption"}})
        assert found["hits"]["total"]["value"] == 1
        stranger = known.model_copy(update={"elasticsearch_ca_file": None})
        with connect(stranger) as client, pytest.raises(PartUnavailableError, match="TlsError"), reachable(stranger):
            client.info()
        gc.collect()


@pytest.mark.parametrize("command", ["serve", "collect"])
def test_the_platforms_own_servers_answer_by_https(elasticsearch: Settings, tmp_path: Path, command: str) -> None:
    authority = Authority(tmp_path)
    mine = authority.issue("platform")
    (port,) = find_free(1)
    environment = os.environ | {
        "TLS_CERTIFICATE_FILE": str(mine.chain),
        "TLS_KEY_FILE": str(mine.key),
        "ELASTICSEARCH_URL": elasticsearch.search_url,
    }
    arguments = [sys.executable, "main.py", command, "--port", str(port)]
    with subprocess.Popen(arguments, cwd=PROJECT_ROOT, env=environment) as server:
        try:
            with httpx.Client(base_url=f"https://{HOST}:{port}", verify=trust(authority.file)) as client:
                assert _status(client, "/healthz") == 200
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                httpx.get(f"https://{HOST}:{port}/healthz")
            with pytest.raises(httpx.RemoteProtocolError):
                httpx.get(f"http://{HOST}:{port}/healthz")
        finally:
            server.terminate()


def _status(client: httpx.Client, path: str) -> int:
    for _ in range(100):
        try:
            return client.get(path).status_code
        except httpx.ConnectError:
            time.sleep(0.2)
    raise AssertionError(f"nobody listens at {client.base_url}")
