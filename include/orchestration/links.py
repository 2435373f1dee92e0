"""Buttons on a task's page in the Airflow UI, which lead to what shows its work.

They are asked for in the API server, of tasks of any DAG; an empty address shows no button.
"""

import json
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import BaseOperatorLink

from include.config import get_settings
from include.names import DagId

if TYPE_CHECKING:
    from airflow.sdk.types import TaskInstanceKey

_STREAMING: Final = frozenset({DagId.SPEED_LAYER, DagId.SPEED_LAYER_HEALTH})
_CHECKED: Final = frozenset({DagId.DATA_QUALITY, DagId.LAMBDA_HANDOVER})
_WITH_RECEIPT: Final = frozenset({DagId.DEAD_LETTER_REPLAY, DagId.AUDIT, DagId.ERASE_PERSON})


def _returned(ti_key: "TaskInstanceKey") -> Any:
    """What a task returned; None before it has."""
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    with create_session() as session:
        found = session.execute(
            XComModel.get_many(
                key="return_value", run_id=ti_key.run_id, dag_ids=ti_key.dag_id, task_ids=ti_key.task_id
            ).with_only_columns(XComModel.value)
        ).first()
    if found is None:
        return None
    return json.loads(found[0]) if isinstance(found[0], str) else found[0]


class SparkUi(BaseOperatorLink):
    """The streams in Spark's own pages; batch drivers have none."""

    name = "Spark UI"

    def get_link(self, operator: Any, *, ti_key: "TaskInstanceKey") -> str:  # noqa: ARG002 - Airflow's signature
        """The streams' page."""
        if ti_key.dag_id not in _STREAMING:
            return ""
        settings = get_settings()
        return f"http://{settings.platform_bind_host}:{settings.spark_ui_port}/StreamingQuery/"


class DataDocs(BaseOperatorLink):
    """What was checked of each table, and what was found."""

    name = "Data Docs"

    def get_link(self, operator: Any, *, ti_key: "TaskInstanceKey") -> str:  # noqa: ARG002 - Airflow's signature
        """The list of tables."""
        return "/platform/docs/" if ti_key.dag_id in _CHECKED else ""


class ReportPage(BaseOperatorLink):
    """The report that a run has made."""

    name = "Report"

    def get_link(self, operator: Any, *, ti_key: "TaskInstanceKey") -> str:  # noqa: ARG002 - Airflow's signature
        """The first report of the run; empty until it is made."""
        made = _returned(ti_key) if ti_key.dag_id == DagId.PLATFORM_REPORT else None
        return f"/platform/reports/{made[0]['report']}.html" if made else ""


class ReceiptFile(BaseOperatorLink):
    """What a replay, an audit or an erasure did, event by event where that matters."""

    name = "Receipt"

    def get_link(self, operator: Any, *, ti_key: "TaskInstanceKey") -> str:  # noqa: ARG002 - Airflow's signature
        """The receipt of the run; empty until there is one."""
        made = _returned(ti_key) if ti_key.dag_id in _WITH_RECEIPT else None
        return f"/platform/receipts/{made['run']}.json" if isinstance(made, dict) and "run" in made else ""


class PlatformPageLink(BaseOperatorLink):
    """The live figures."""

    name = "Platform page"

    def get_link(self, operator: Any, *, ti_key: "TaskInstanceKey") -> str:  # noqa: ARG002 - Airflow's signature
        """The page in Airflow's navigation."""
        return "/plugin/platform" if ti_key.dag_id in set(DagId) else ""
