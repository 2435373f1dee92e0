"""The dispatcher as the process that it is, between real Kafka, real Elasticsearch and a Slack of our own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kafka import KafkaProducer

from include.alerting.alert import Alert, Kind, Severity
from include.alerting.intake import acknowledge
from include.alerting.outbox import Outbox
from include.alerting.store import connection, store_path
from include.config import PROJECT_ROOT, Settings
from include.names import Alias, Topic
from include.serving.client import connect
from include.serving.indices import install
from tests.integration.alert_servers import Slack, running_slack


@pytest.fixture
def slack() -> Iterator[Slack]:
    with running_slack() as server:
        yield server


@pytest.fixture
def dispatching(kafka_and_elasticsearch: Settings, slack: Slack, tmp_path: Path) -> Iterator[Settings]:
    settings = kafka_and_elasticsearch.model_copy(update={"platform_data_dir": tmp_path})
    environment = {
        **os.environ,
        "PLATFORM_DATA_DIR": str(tmp_path),
        "KAFKA_BOOTSTRAP_SERVERS": settings.bootstrap_servers,
        "ELASTICSEARCH_URL": settings.search_url,
        "SLACK_WEBHOOK_URL": slack.webhook,
    }
    with connect(settings) as client:
        install(client)
    with (tmp_path / "dispatch.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "main.py", "alerts", "dispatch"], cwd=PROJECT_ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        yield settings
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert "s3cr3t" not in (tmp_path / "dispatch.log").read_text()


def wait_for(what: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.1)


def test_fraud_from_kafka_is_in_slack_within_5_seconds_and_its_life_is_in_the_index(
    dispatching: Settings, slack: Slack
) -> None:
    Outbox(dispatching).put(
        Alert(source="t", kind=Kind.STOCK, severity=Severity.WARNING, subject="first", key="stock/p1")
    )
    wait_for(lambda: len(slack.taken) == 1)

    producer = KafkaProducer(bootstrap_servers=dispatching.bootstrap_servers)
    fraud = b'{"rule": "card_testing", "severity": "critical", "subject": "user-7", "amount_minor": 500}'
    producer.send(Topic.FRAUD_ALERTS.value, fraud).get(10)
    started = time.monotonic()
    wait_for(lambda: len(slack.taken) == 2)
    took = time.monotonic() - started
    producer.close()

    with connect(dispatching) as client:

        def found() -> dict[str, object]:
            query = {"term": {"dedup_key": "fraud/card_testing/user-7"}}
            hits = client.search(index=Alias.ALERTS.value, query=query)["hits"]["hits"]
            return hits[0]["_source"] if hits else {}

        wait_for(lambda: found().get("delivery_state") == "sent")
        with connection(store_path(dispatching)) as database:
            acknowledge(database, str(found()["incident"]), "ops", datetime.now(UTC))
        wait_for(lambda: found().get("acknowledged_by") == "ops")

    assert took < 5
    assert slack.taken[1]["text"] == "🔴 Critical: Suspected fraud: card testing by user-7"
    wait_for(lambda: len(slack.taken) == 3)
    assert slack.taken[2]["text"].startswith("👀 Acknowledged by ops")


def test_a_second_dispatcher_on_the_same_folder_is_refused(dispatching: Settings, slack: Slack) -> None:
    Outbox(dispatching).put(
        Alert(source="t", kind=Kind.STOCK, severity=Severity.WARNING, subject="first", key="stock/p1")
    )
    wait_for(lambda: len(slack.taken) == 1)

    second = subprocess.run(
        [sys.executable, "main.py", "alerts", "dispatch"],
        cwd=PROJECT_ROOT,
        env={**os.environ, "PLATFORM_DATA_DIR": str(dispatching.platform_data_dir)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert second.returncode == 1
    assert "another dispatcher works on" in second.stderr
