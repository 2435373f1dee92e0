"""The library code behind the DAGs that needs no platform."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowFailException

from include.alerting.store import connection, store_path
from include.config import Settings
from include.errors import ConfigurationError
from include.names import Connection, Table
from include.orchestration import spark_batch
from include.orchestration.dates import range_arguments
from include.orchestration.delta_log import last_commit
from include.orchestration.quality_gate import judge
from include.orchestration.spark_batch import SparkBatchOperator
from include.orchestration.spark_connection import SparkTarget, spark_target
from include.quality.suite import Severity
from include.quality.verdict import Failure, Verdict, keep

FORM = {"days": 3, "from": None, "to": None}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a data folder of their own."""
    return Settings(_env_file=None, platform_data_dir=tmp_path)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("form", "arguments"),
    [
        ({}, ["--days", "3"]),
        ({"from": "2026-11-01"}, ["--from", "2026-11-01", "--to", "2026-11-01"]),
        ({"from": "2026-11-01", "to": "2026-11-03"}, ["--from", "2026-11-01", "--to", "2026-11-03"]),
    ],
)
def test_the_form_names_days(form: dict[str, str], arguments: list[str]) -> None:
    assert range_arguments({**FORM, **form}) == arguments


def test_a_backfill_recomputes_its_own_day() -> None:
    day = datetime(2026, 11, 2, 5, tzinfo=UTC)

    assert range_arguments(FORM, backfilled=day) == ["--from", "2026-11-02", "--to", "2026-11-02"]


@pytest.mark.parametrize(
    ("form", "mend"), [({"to": "2026-11-03"}, "from is empty"), ({"from": "2026-11-03", "to": "2026-11-01"}, "before")]
)
def test_a_range_that_is_none_is_refused(form: dict[str, str], mend: str) -> None:
    with pytest.raises(ConfigurationError, match=mend):
        range_arguments({**FORM, **form})


def test_the_last_commit_of_a_table_is_read_without_spark(tmp_path: Path) -> None:
    log = tmp_path / "_delta_log"
    log.mkdir()
    (log / f"{0:020}.json").write_text('{"commitInfo": {"operation": "CREATE"}}\n', encoding="utf-8")
    commit = {"timestamp": 1_800_000_000_000, "operation": "WRITE", "operationMetrics": {"numOutputRows": "7"}}
    text = f'{{"add": {{"path": "a"}}}}\n{json.dumps({"commitInfo": commit})}\n'
    (log / f"{1:020}.json").write_text(text, encoding="utf-8")

    assert last_commit(str(tmp_path)) == {
        "path": str(tmp_path),
        "delta_version": 1,
        "operation": "WRITE",
        "committed_at": "2027-01-15T08:00:00+00:00",
        "numOutputRows": 7,
    }


def test_a_table_that_is_not_there_or_not_on_this_disk_is_only_named(tmp_path: Path) -> None:
    assert last_commit(str(tmp_path / "none")) == {"path": str(tmp_path / "none")}
    assert last_commit("s3a://lake/silver/purchases") == {"path": "s3a://lake/silver/purchases"}


def test_a_spark_connection_says_master_and_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"deploy-mode": "client", "conf": {"spark.executor.memory": "2g"}}
    text = json.dumps({"conn_type": "spark", "host": "spark://master", "port": 7077, "extra": extra})
    monkeypatch.setenv("AIRFLOW_CONN_SPARK_DEFAULT", text)

    assert spark_target(Connection.SPARK) == SparkTarget(
        "spark://master:7077", "client", {"spark.executor.memory": "2g"}
    )


def test_a_missing_spark_connection_is_refused_instead_of_becoming_yarn() -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere does not exist.*include\.local\.airflow_settings"):
        spark_target("nowhere")


def test_a_connection_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", '{"conn_type": "smtp", "host": "localhost"}')

    with pytest.raises(ConfigurationError, match="has type 'smtp'"):
        spark_target(Connection.SMTP)


def test_a_batch_job_is_submitted_at_low_priority_with_the_batch_properties(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SPARK_BATCH", '{"conn_type": "spark", "host": "local[2]"}')
    low = Settings(_env_file=None, background_priority="low")
    monkeypatch.setattr(spark_batch, "get_settings", lambda: low)
    operator = SparkBatchOperator(task_id="gold", job="gold.py", arguments=["--days", "3"])

    command = operator._get_hook()._build_spark_submit_command(operator.application)

    assert command[:4] == ["nice", "-n", "10", "spark-submit"]
    assert command[command.index("--master") + 1] == "local[2]"
    assert command[command.index("--properties-file") + 1].endswith("spark_jobs/conf/batch.conf")
    assert command[-3:] == [operator.application, "--days", "3"]


def _keep(settings: Settings, *failures: Failure) -> None:
    now = datetime.now(UTC).isoformat()
    table = Table.SILVER_PURCHASES
    keep(settings, Verdict(table, now, ("2026-11-24",), 20, False, 1.0, 30, failures, "page.html"))


def _told(settings: Settings) -> list[tuple[str, bool]]:
    with connection(store_path(settings), 2) as database:
        alerts = [json.loads(row["body"]) for row in database.execute("SELECT body FROM incoming ORDER BY place")]
    return [(alert["severity"], alert["resolved"]) for alert in alerts]


def test_warnings_are_told_and_publication_goes_on(settings: Settings) -> None:
    _keep(settings, Failure("values_to_be_unique(event_id)", Severity.WARNING, "2 of 20 rows"))

    assert judge(settings, ["silver.purchases", "silver.user_events"]) == {"silver.purchases": "degraded"}
    assert _told(settings) == [("warning", False)]


def test_a_critical_failure_is_told_and_stops_without_a_retry(settings: Settings) -> None:
    _keep(settings, Failure("values_to_be_between(money_gap)", Severity.CRITICAL, "1 of 20 rows"))

    with pytest.raises(AirflowFailException, match="money_gap"):
        judge(settings, ["silver.purchases"])
    assert _told(settings) == [("critical", False)]


def test_a_table_that_keeps_its_promises_ends_the_incident(settings: Settings) -> None:
    _keep(settings)

    assert judge(settings, ["silver.purchases"]) == {"silver.purchases": "ok"}
    assert _told(settings) == [("warning", True)]
