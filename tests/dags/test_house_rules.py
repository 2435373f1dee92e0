"""What every DAG of this repository keeps to, held over one DagBag."""

import ast
import inspect
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, Asset
from airflow.sdk.definitions.asset import BaseAsset
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization

from include.config import PROJECT_ROOT
from include.local.airflow_settings import read
from include.names import DagId
from include.orchestration.assets import READ_OUTSIDE, WRITTEN_OUTSIDE
from include.orchestration.defaults import OWNER, Tag
from include.orchestration.notifier import PlatformAlert
from include.orchestration.spark_batch import SparkBatchOperator

DAG_FILES = sorted((PROJECT_ROOT / "dags").glob("*.py"))
# Generous for a busy machine: a file takes 0.05 s on a quiet one.
PARSE_SECONDS = 5.0
HEAVY = ("pyspark", "great_expectations", "elasticsearch", "pandas", "pyarrow", "delta", "confluent_kafka", "kafka")


@pytest.fixture(params=sorted(DagId))
def dag(request: pytest.FixtureRequest, dag_bag: DagBag) -> DAG:
    """Each DAG in turn."""
    return dag_bag.dags[request.param]


def test_every_file_is_imported_and_holds_the_one_dag_of_its_name(dag_bag: DagBag) -> None:
    assert dag_bag.import_errors == {}
    assert {str(dag_id): Path(dag.fileloc).stem for dag_id, dag in dag_bag.dags.items()} == {
        path.stem: path.stem for path in DAG_FILES
    }


def test_every_name_has_a_dag_and_every_dag_a_name(dag_bag: DagBag) -> None:
    assert set(dag_bag.dags) == set(DagId)


def test_parsing_a_file_takes_a_moment(dag_bag: DagBag, record_property: Any) -> None:
    seconds = {stat.file: stat.duration.total_seconds() for stat in dag_bag.dagbag_stats}
    record_property("parse_seconds", seconds)

    assert len(seconds) == len(DAG_FILES)
    assert max(seconds.values()) < PARSE_SECONDS, seconds


@pytest.mark.parametrize("path", DAG_FILES, ids=lambda path: path.stem)
def test_a_file_is_short_and_imports_nothing_heavy(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    imported = {
        name.split(".")[0]
        for node in ast.parse(text).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }

    assert len(text.splitlines()) <= 150
    assert imported <= {"airflow", "include", *sys.stdlib_module_names}


def test_what_dags_import_at_module_level_stays_light() -> None:
    import subprocess

    modules = [f"import {path.stem}" for path in DAG_FILES]
    code = (
        f"import sys; sys.path.insert(0, 'dags'); {'; '.join(modules)}; print([n for n in {HEAVY} if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT_ROOT, check=True)

    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_a_dag_says_who_owns_it_what_it_is_and_what_to_do(dag: DAG) -> None:
    assert dag.owner == OWNER
    assert dag.doc_md
    for wanted in ("**Schedule**", "**May run again**", "fails"):
        assert wanted in dag.doc_md, f"the runbook does not say: {wanted}"
    assert dag.description
    assert dag.dag_display_name != dag.dag_id
    assert dag.tags
    assert set(dag.tags) <= set(Tag)


def test_a_dag_catches_nothing_up_by_itself_and_runs_once_at_a_time(dag: DAG) -> None:
    assert dag.catchup is False
    assert dag.max_active_runs == 1
    assert dag.is_paused_upon_creation is False


def test_at_the_first_start_only_the_health_check_runs_at_once(dag: DAG) -> None:
    assert (dag.start_date is not None) == (dag.dag_id == DagId.SPEED_LAYER_HEALTH)


def test_every_parameter_is_a_form_field_with_a_title_a_description_and_a_valid_default(dag: DAG) -> None:
    for name in dag.params:
        shown = dag.params.get_param(name)
        assert shown.schema.get("title"), name
        assert shown.schema.get("type"), name
        assert shown.description, name
        shown.resolve()


def test_a_form_refuses_what_its_schema_does_not_allow(dag: DAG) -> None:
    for name in dag.params:
        shown = dag.params.get_param(name)
        # Nothing of ours takes an object, so each field refuses one.
        with pytest.raises(ParamValidationError):
            shown.resolve({"not": "a value"})


def test_every_asset_event_says_what_was_done(dag: DAG) -> None:
    for task in dag.tasks:
        if task.outlets and not isinstance(task, SparkBatchOperator):
            assert 'outlet_events"]' in inspect.getsource(task.python_callable), task.task_id


def test_every_task_is_retried_with_growing_pauses_ends_in_time_and_alerts(dag: DAG) -> None:
    for task in dag.tasks:
        assert task.retries >= 1, task.task_id
        assert task.retry_exponential_backoff > 1, task.task_id
        assert task.max_retry_delay, task.task_id
        assert task.execution_timeout, task.task_id
        for callbacks, resolves in (
            (task.on_failure_callback, False),
            (task.on_retry_callback, False),
            (task.on_success_callback, True),
        ):
            assert [(type(callback), callback.resolved) for callback in callbacks] == [(PlatformAlert, resolves)]
        assert task.task_display_name != task.task_id, task.task_id


def test_connections_and_pools_of_tasks_are_in_the_settings_file(dag: DAG) -> None:
    declared = read()
    pools = {"default_pool", *(entry.pool_name for entry in declared.pools)}
    connections = {entry.conn_id for entry in declared.connections}
    for task in dag.tasks:
        assert task.pool in pools, task.task_id
        named = {str(value) for name, value in vars(task).items() if name.endswith("conn_id") and value}
        assert named <= connections, task.task_id


def test_spark_drivers_share_one_pool(dag_bag: DagBag) -> None:
    drivers = {
        f"{dag_id}.{task.task_id}": task.pool
        for dag_id, dag in dag_bag.dags.items()
        for task in dag.tasks
        if "application" in vars(task)
    }

    assert len(drivers) >= 4
    assert set(drivers.values()) == {"spark_batch"}


def _names(condition: BaseAsset) -> list[str]:
    if isinstance(condition, Asset):
        return [condition.name]
    return [name for inner in getattr(condition, "objects", ()) for name in _names(inner)]


def test_every_asset_has_a_producer_and_a_consumer_or_is_known_outside(dag_bag: DagBag) -> None:
    written: Counter[str] = Counter()
    used: Counter[str] = Counter()
    for dag in dag_bag.dags.values():
        used.update(_names(dag.timetable.asset_condition))
        for task in dag.tasks:
            written.update(asset.name for asset in task.outlets)
            used.update(asset.name for asset in task.inlets)

    assert set(used) - set(written) == WRITTEN_OUTSIDE
    assert set(written) - set(used) == READ_OUTSIDE


def test_every_dag_reads_or_writes_assets(dag: DAG) -> None:
    assert [asset for task in dag.tasks for asset in [*task.inlets, *task.outlets]]


def test_a_dag_survives_being_stored_and_read_again(dag: DAG) -> None:
    stored = DagSerialization.to_dict(dag)

    again = DagSerialization.from_dict(stored)

    assert again.dag_id == dag.dag_id
    assert set(again.task_dict) == set(dag.task_dict)
    # The same text each time: otherwise Airflow makes a new version of the DAG at every parsing.
    assert DagSerialization.to_dict(dag) == stored


def test_the_settings_file_is_in_the_database_and_loading_it_again_changes_nothing(airflow_database: Path) -> None:
    from airflow.models import Connection, Pool, Variable
    from airflow.utils.session import create_session
    from sqlalchemy import select

    from include.config import get_settings
    from include.local.airflow_settings import apply

    def stored() -> tuple[Any, ...]:
        with create_session() as session:
            connections = {row.conn_id: (row.get_uri(), row.extra) for row in session.scalars(select(Connection))}
            pools = {row.pool: row.slots for row in session.scalars(select(Pool))}
            variables = {row.key: row.val for row in session.scalars(select(Variable))}
            return connections, pools, variables

    before = stored()
    with create_session() as session:
        apply(read(), get_settings(), session)

    assert stored() == before
    assert {entry.conn_id for entry in read().connections} <= set(before[0])
    assert before[1]["spark_batch"] == 1
    assert before[2]["speed_layer_restarts_per_hour"] == "6"
