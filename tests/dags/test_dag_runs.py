"""Each DAG run by ``dag.test()`` beside a real Kafka, Elasticsearch and Spark, in the order of a platform's day."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest
from airflow.dag_processing.dagbag import DagBag
from elasticsearch import Elasticsearch
from tenacity import Retrying, retry, retry_if_result, stop_after_delay, wait_fixed

from include.config import PROJECT_ROOT, Settings, get_settings
from include.monitoring.airflow_events import AirflowEvents
from include.names import Alias, DagId, Query, Table
from include.orchestration.delta_log import last_commit
from include.quality.suite import Severity
from include.quality.verdict import Failure, keep, latest
from include.serving.client import connect
from include.serving.pipeline_health import publish
from include.supervision import speed_layer
from include.supervision.health import check
from include.supervision.shares import PARTS, queries_of
from include.supervision.spark_submit import settings_environment
from tests.stack import stack


@pytest.fixture(scope="module")
def platform(airflow_database: Any) -> Iterator[Settings]:
    """Kafka and Elasticsearch; tasks find them as they would in production: by the environment."""
    memory = {"elasticsearch_heap": "512m", "spark_driver_memory": "1g", "spark_batch_memory": "1g"}
    with stack(**memory, erasure_grace_minutes=0) as running:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in settings_environment(running.settings).items():
                patch.setenv(name, value)
            get_settings.cache_clear()
            yield running.settings
        get_settings.cache_clear()


@pytest.fixture
def client(platform: Settings) -> Iterator[Elasticsearch]:
    """Connection to that Elasticsearch."""
    with connect(platform) as connection:
        yield connection


def _run(dag_bag: DagBag, dag_id: DagId, **params: Any) -> dict[str, Any]:
    """Run a DAG; what its tasks returned, by task."""
    # No human is here to approve.
    done = dag_bag.dags[dag_id].test(run_conf=params, mark_success_pattern="approve")
    states = {ti.task_id: str(ti.state) for ti in done.get_task_instances()}
    assert set(states.values()) == {"success"}, states
    return {ti.task_id: ti.xcom_pull(task_ids=ti.task_id) for ti in done.get_task_instances()}


def _until(action: Callable[[], Any], is_enough: Callable[[Any], bool]) -> Any:
    waiting = Retrying(
        retry=retry_if_result(lambda result: not is_enough(result)), stop=stop_after_delay(30), wait=wait_fixed(0.5)
    )
    return waiting(action)


@retry(retry=retry_if_result(lambda sick: bool(sick)), stop=stop_after_delay(150), wait=wait_fixed(2))
def _wait_healthy(settings: Settings) -> dict[str, tuple[str, ...]]:
    return {verdict.subject: verdict.reasons for verdict in check(settings) if verdict.status == "failed"}


@retry(retry=retry_if_result(lambda lag: lag != 0), stop=stop_after_delay(280), wait=wait_fixed(2))
def _wait_archived(settings: Settings) -> float | None:
    """Records that bronze has not yet archived."""
    archive = next(verdict for verdict in check(settings) if verdict.subject == Query.BRONZE_ARCHIVE)
    return archive.metrics.get("lag")


def test_the_speed_layer_starts_once_and_outlives_its_task(dag_bag: DagBag, platform: Settings) -> None:
    first = _run(dag_bag, DagId.SPEED_LAYER)["control"]
    again = _run(dag_bag, DagId.SPEED_LAYER, action="start")["control"]

    assert (first["changed"], again["changed"]) == (True, False)
    assert again["supervised"] == sorted(PARTS.values())
    _wait_healthy(platform)


def test_what_runs_and_tasks_did_comes_through_kafka_to_the_health_index(
    platform: Settings, client: Elasticsearch
) -> None:
    query = {"bool": {"filter": [{"term": {"subject": "speed_layer.control"}}, {"term": {"kind": "airflow_task"}}]}}

    def stored() -> list[dict[str, Any]]:
        client.indices.refresh(index=Alias.PIPELINE_HEALTH.value)
        found = client.search(index=Alias.PIPELINE_HEALTH.value, query=query, sort="time")["hits"]["hits"]
        return [hit["_source"] for hit in found]

    with closing(AirflowEvents(platform)) as events:
        for _ in range(2):
            # Told that nothing was stored, it gives the same again; the documents are the same as well.
            records = _until(events.take, lambda taken: len(taken) >= 4)
            publish(client, records)

    tries = [(one["status"], one["details"]["state"]) for one in stored()]
    assert tries == [("ok", "running"), ("ok", "success")] * 2
    assert all(one["metrics"]["try_number"] == 1 for one in stored())
    assert {record.kind for record in records} == {"airflow_task", "airflow_run"}


def test_a_healthy_speed_layer_is_left_alone(dag_bag: DagBag, platform: Settings, client: Elasticsearch) -> None:
    send = [sys.executable, "main.py", "start-producer"]
    # A day that ends now, and a quarter of an hour, so that today has orders however early it is.
    for traffic in ("--rate 200 --days 1 --duration 10s --invalid 0.05", "--rate 100 --days 0.01 --duration 10s"):
        subprocess.run(
            [*send, *traffic.split()], cwd=PROJECT_ROOT, env=dict(os.environ), check=True, capture_output=True
        )

    found = _run(dag_bag, DagId.SPEED_LAYER_HEALTH)["look"]

    assert (found["step"], found["wanted"], found["kafka"], found["elasticsearch"]) == ("nothing", True, "ok", "ok")
    client.indices.refresh(index=Alias.PIPELINE_HEALTH.value)
    query = {"term": {"kind": "stream_health"}}
    assert client.count(index=Alias.PIPELINE_HEALTH.value, query=query)["count"] >= len(queries_of(platform))


def test_a_recompute_fills_silver_and_gold(dag_bag: DagBag, platform: Settings) -> None:
    _wait_archived(platform)

    _run(dag_bag, DagId.BATCH_RECOMPUTE, days=2)

    for table in (Table.SILVER_USER_EVENTS, Table.GOLD_METRICS_HOURLY, Table.GOLD_METRICS_DAILY):
        assert "delta_version" in last_commit(platform.table_path(table)), table


def test_the_tables_keep_their_promises(dag_bag: DagBag, platform: Settings) -> None:
    statuses = _run(dag_bag, DagId.DATA_QUALITY)["judge"]

    assert "failed" not in statuses.values(), latest(platform, Table.SILVER_PURCHASES)
    verdict = latest(platform, Table.SILVER_USER_EVENTS)
    assert verdict is not None
    assert verdict.rows > 0


def test_recommendations_are_published_with_the_reason(
    dag_bag: DagBag, platform: Settings, client: Elasticsearch
) -> None:
    shown = _run(dag_bag, DagId.RECOMMENDATIONS, days=2)["publish"]

    # How many customers have come back by now decides; what beats popularity clearly, the model's own tests ask.
    assert shown["publish"] in ("popular", "personal")
    assert shown["reason"]
    assert client.count(index=Alias.RECOMMENDATIONS.value)["count"] == shown["documents"] > 1


def test_a_handover_switches_the_alias(dag_bag: DagBag, platform: Settings, client: Elasticsearch) -> None:
    done = _run(dag_bag, DagId.LAMBDA_HANDOVER)["hand_over"]

    assert (done["step"], done["drift"]) == ("done", 0.0)
    behind = client.indices.get_alias(name=Alias.METRICS.value)
    assert [index for index in behind if index.startswith("metrics-batch-")]


def test_a_failed_critical_suite_stops_publication_and_the_old_view_stays(
    dag_bag: DagBag, platform: Settings, client: Elasticsearch
) -> None:
    shown = client.indices.get_alias(name=Alias.METRICS.value).body
    right = latest(platform, Table.SILVER_PURCHASES)
    assert right is not None
    broken = Failure("column_values_to_be_between(money_gap)", Severity.CRITICAL, "1 of 20 rows")
    keep(platform, replace(right, failures=(broken,)))
    try:
        done = dag_bag.dags[DagId.LAMBDA_HANDOVER].test()
    finally:
        keep(platform, right)

    states = {ti.task_id: str(ti.state) for ti in done.get_task_instances()}
    assert states == {"gate": "failed", "hand_over": "upstream_failed"}
    assert client.indices.get_alias(name=Alias.METRICS.value).body == shown
    assert dag_bag.dags[DagId.BATCH_RECOMPUTE].task_dict["gold"].upstream_task_ids >= {"gate"}


def test_a_report_on_this_week_is_written_and_told(dag_bag: DagBag, platform: Settings) -> None:
    """Of a week, as midnight may come between what was done and the report on it."""
    (report,) = _run(dag_bag, DagId.PLATFORM_REPORT, length="weekly", day=f"{datetime.now(UTC):%Y-%m-%d}")["report"]

    page, text = (Path(file).read_text(encoding="utf-8") for file in report["files"])
    assert page.count("<svg") >= 2
    assert "silver.purchases" in text
    assert "1, refused 0" in text
    assert report["highlights"]["Orders"] != "0 (\u2013)"


def test_asset_events_say_what_was_done(platform: Settings) -> None:
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        rows = session.execute(
            select(AssetModel.name, AssetEvent.extra).join(AssetModel, AssetEvent.asset_id == AssetModel.id)
        ).all()
    said = {name: set(extra) for name, extra in rows}

    assert said["gold.metrics_hourly"] >= {"delta_version", "numOutputRows", "seconds"}
    assert said["elasticsearch.metrics"] >= {"run", "drift", "seconds"}
    assert said["elasticsearch.recommendations"] >= {"index", "reason", "model_version"}
    assert said["quality.validated"] >= {"silver.purchases"}
    assert all(said.values()), said


def test_dead_letters_are_replayed_with_a_receipt_and_an_audit_finds_all_right(
    dag_bag: DagBag, platform: Settings, client: Elasticsearch
) -> None:
    receipt = _run(dag_bag, DagId.DEAD_LETTER_REPLAY, rehearse=False, reasons=["key_mismatch", "missing_key"])["replay"]
    audited = _run(dag_bag, DagId.AUDIT)["audit"]

    # Only its key was wrong, which the contract derives from the event: nothing of them stays refused.
    assert receipt["repaired"] + receipt["already_present"] == receipt["read"] > 0
    assert json.loads(Path(receipt["receipt"]).read_text(encoding="utf-8"))["refused"] == []
    assert (audited["status"], audited["findings"]) == ("ok", [])
    assert audited["kafka_records"] == audited["bronze_records"] > audited["silver_records"] > 0
    client.indices.refresh(index=Alias.PIPELINE_HEALTH.value)
    kinds = {"terms": {"kind": ["dead_letters", "audit"]}}
    assert client.count(index=Alias.PIPELINE_HEALTH.value, query=kinds)["count"] == 2


def test_tables_are_compacted_and_an_index_is_rebuilt(dag_bag: DagBag, platform: Settings) -> None:
    tables = [Table.BRONZE_EVENTS.value, Table.SILVER_PURCHASES.value]
    assert _run(dag_bag, DagId.COMPACT_TABLES, tables=tables)["clean_indices"] == []
    report = _run(dag_bag, DagId.REINDEX_ELASTICSEARCH, alias=Alias.PIPELINE_HEALTH.value)["rebuild"]

    assert report["new_count"] >= report["old_count"] > 0
    assert report["new"] != report["old"]


def test_a_restart_brings_a_new_driver(dag_bag: DagBag, platform: Settings) -> None:
    before = speed_layer.state(platform)
    _run(dag_bag, DagId.SPEED_LAYER, action="restart")
    _wait_healthy(platform)

    after = speed_layer.state(platform)
    assert after.pids.keys() == before.pids.keys() != set()
    assert not set(after.pids.values()) & set(before.pids.values())


def test_a_stopped_speed_layer_stays_stopped(dag_bag: DagBag, platform: Settings) -> None:
    _run(dag_bag, DagId.SPEED_LAYER, action="stop")
    found = _run(dag_bag, DagId.SPEED_LAYER_HEALTH)["look"]

    assert (found["step"], found["wanted"]) == ("nothing", False)
    assert not speed_layer.state(platform).is_running


def test_a_person_is_erased_and_no_file_or_index_names_them(dag_bag: DagBag, platform: Settings) -> None:
    """After the streams have ended: without a grace, old files are deleted at once."""
    events = ds.dataset(platform.table_path(Table.SILVER_USER_EVENTS), format="parquet", exclude_invalid_files=True)
    user_id = events.head(1, columns=["user_id"])["user_id"][0].as_py()

    done = _run(dag_bag, DagId.ERASE_PERSON, user_id=user_id, reference="T-1")

    assert done["count"]["bronze.events"] >= done["count"]["silver.user_events"] > 0
    assert done["erase"]["found"] == done["count"]
    assert (done["certify"]["status"], done["certify"]["left_in_files"], done["certify"]["left_in_indices"]) == (
        "clean",
        [],
        {},
    )
    assert user_id not in json.dumps(done["certify"])
