"""What Airflow tells of its runs, and what becomes of it."""

import json
import os
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from include.config import Settings
from include.monitoring.airflow_events import record_of
from include.orchestration import run_events
from include.orchestration.run_events import run_event, task_event, tell

BEGUN = datetime(2026, 3, 10, 12, tzinfo=UTC)
TASK = SimpleNamespace(
    dag_id="lambda_handover",
    run_id="manual__1",
    task_id="compare",
    map_index=-1,
    try_number=2,
    start_date=BEGUN,
    end_date=BEGUN + timedelta(seconds=2.5),
)
RUN = SimpleNamespace(dag_id="audit", run_id="manual__2", start_date=BEGUN, end_date=None)


def test_a_task_that_failed_tells_how_long_it_took_and_the_kind_of_error_only() -> None:
    event = task_event(TASK, "failed", ValueError("password=secret"))

    assert (event["seconds"], event["error"], event["try_number"]) == (2.5, "ValueError", 2)
    assert "secret" not in json.dumps(event)


def test_a_run_that_began_has_no_duration() -> None:
    assert "seconds" not in run_event(RUN, "running")


def test_a_failure_is_stored_with_its_reason_under_its_place_in_kafka() -> None:
    value = json.dumps(task_event(TASK, "failed", ValueError())).encode()

    record = record_of(value, "airflow-events-0-7")

    assert (record.kind, record.subject, record.status) == ("airflow_task", "lambda_handover.compare", "failed")
    assert record.reason == "manual__1 failed with ValueError"
    assert record.metrics == {"seconds": 2.5, "try_number": 2.0}
    assert record.document_id == "airflow-events-0-7"


def test_a_run_is_told_under_the_name_of_its_dag() -> None:
    record = record_of(json.dumps(run_event(RUN, "running")).encode(), "airflow-events-0-1")

    assert (record.kind, record.subject, record.status, record.reason) == ("airflow_run", "audit", "ok", None)


@pytest.mark.parametrize("value", [b"", b"[1]", b'{"kind":"task"}', b"no json"])
def test_what_is_no_event_of_airflow_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        record_of(value, "airflow-events-0-1")


def test_a_broker_that_is_away_fails_no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = Settings(_env_file=None, kafka_bootstrap_servers="127.0.0.1:1")
    monkeypatch.setattr(run_events, "_LAST_SECONDS", 0.1)
    monkeypatch.setattr(run_events, "get_settings", lambda: nowhere)

    tell(task_event(TASK, "success"), wait=True)

    assert len(run_events._producer(os.getpid(), nowhere)) == 1
