"""What a DAG's callbacks say of it, as it arrives in Slack."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag

from include.alerting.alert import Alert
from include.alerting.courier import Courier
from include.alerting.dispatcher import Dispatcher
from include.alerting.receivers import receivers_of
from include.alerting.routing import Routing
from include.alerting.store import connection, store_path
from include.config import Settings, get_settings
from tests.integration.alert_servers import Slack, running_slack

ROUTING = Routing.model_validate(
    {
        "destinations": {"slack": {"type": "slack"}},
        "routes": [{"to": ["slack"]}],
        "grouping": {"wait_seconds": 0},
    }
)

# Fails while its folder holds a file called "broken".
_DAG = """
from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG, task

from include.orchestration.defaults import task_defaults

with DAG("fragile", schedule=None, default_args=task_defaults(retries=1, retry_delay=timedelta(seconds=0))):

    @task
    def work() -> None:
        if Path(__file__).with_name("broken").exists():
            raise ValueError("cold solder")

    work()
"""


class Desk:
    """A store with its dispatcher and the one courier of Slack."""

    def __init__(self, settings: Settings, slack: Slack) -> None:
        self._path = store_path(settings)
        self._receivers = receivers_of(settings, ROUTING)
        self._dispatcher = Dispatcher(settings, ROUTING, self._receivers)
        self._courier = Courier(self._path, "slack", self._receivers["slack"], ROUTING)
        self._slack = slack

    def waiting(self) -> list[tuple[str, str]]:
        """Alerts that the dispatcher did not take yet: severity and subject."""
        with connection(self._path) as database:
            rows = database.execute("SELECT body FROM incoming WHERE taken_at IS NULL ORDER BY place").fetchall()
        alerts = [Alert.model_validate_json(row["body"]) for row in rows]
        return [(alert.severity, alert.subject) for alert in alerts if not alert.resolved]

    def new_messages(self) -> list[str]:
        """What Slack was told since the last call."""
        known = len(self._slack.taken)
        now = datetime.now(UTC) + timedelta(seconds=5)
        self._dispatcher.take(now)
        while self._courier.step(now):
            pass
        return [message["text"] for message in self._slack.taken[known:]]


@pytest.fixture
def folder(airflow_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DAG folder with one fragile DAG in it."""
    (tmp_path / "fragile.py").write_text(_DAG, encoding="utf-8")
    bundle = {
        "name": "fragile",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(tmp_path)},
    }
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps([bundle]))
    return tmp_path


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with running_slack() as slack:
        monkeypatch.setenv("PLATFORM_DATA_DIR", str(tmp_path / "data"))
        monkeypatch.setenv("SLACK_WEBHOOK_URL", slack.webhook)
        get_settings.cache_clear()
        yield Desk(get_settings(), slack)
    get_settings.cache_clear()


def test_slack_hears_of_a_retry_a_failure_and_its_end_and_of_nothing_else(folder: Path, desk: Desk) -> None:
    dag = DagBag(dag_folder=str(folder)).dags["fragile"]

    assert str(dag.test().state) == "success"
    assert desk.new_messages() == []

    (folder / "broken").touch()
    assert str(dag.test().state) == "failed"
    assert desk.waiting() == [
        ("warning", "Task work of fragile failed and will be tried again"),
        ("critical", "Task work of fragile failed"),
    ]
    assert desk.new_messages() == ["🔴 Critical: Task work of fragile failed"]

    (folder / "broken").unlink()
    assert str(dag.test().state) == "success"
    (over,) = desk.new_messages()
    assert over.startswith("🟢 Resolved after ")
    assert over.endswith(": Task work of fragile works again")

    assert str(dag.test().state) == "success"
    assert desk.new_messages() == []
