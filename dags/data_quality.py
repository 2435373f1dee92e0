"""Check the tables against their suites; what fails critically is not published.

| | |
|---|---|
| **Schedule** | when `batch_recompute` has written gold; also by hand |
| **Reads** | the newest days of each silver and gold table with a suite in `expectations/` |
| **Writes** | verdicts, Data Docs below `<data>/quality/docs`, `pipeline-health` |
| **Then** | when nothing critical failed, `quality.validated` lets `lambda_handover` go on |
| **May run again** | yes, it only reads the tables |

Above the variable `quality_max_rows`, a sample of so many rows is read.

**If *Judge* fails**, a table breaks a critical promise. Its error names table, expectation and what was found; the page
of the Data Docs shows the rest. Handovers are refused, and readers keep the present view, until a later run finds the
table right: mend the cause, run *Batch recompute* for the days, then this DAG. A promise that is itself wrong is
mended in `expectations/<table>.json`. **Warnings** alert and block nothing.

**If *Validate* fails**, nothing was judged: read the Spark log, then clear the task.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param, get_current_context, task

from include.names import DagId, Variable
from include.orchestration.assets import GOLD, SILVER, VALIDATED
from include.orchestration.defaults import Tag, task_defaults
from include.orchestration.spark_batch import SparkBatchOperator
from include.quality.suite import tables_with_suites

TABLES = [table.value for table in tables_with_suites()]

with DAG(
    dag_id=DagId.DATA_QUALITY,
    dag_display_name="Data quality",
    description="Great Expectations suites over silver and gold",
    doc_md=__doc__,
    tags=[Tag.QUALITY, Tag.BATCH],
    schedule=list(GOLD.values()),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=task_defaults(timeout=timedelta(hours=1), retry_delay=timedelta(minutes=1)),
    params={
        "tables": Param(
            TABLES,
            type="array",
            items={"type": "string", "enum": TABLES},
            examples=TABLES,
            minItems=1,
            title="Tables",
            description="Which tables to check.",
        ),
        "days": Param(
            7, type="integer", minimum=1, maximum=3660, title="Days", description="The newest of each table."
        ),
    },
) as dag:

    @task(task_display_name="Choose")
    def choose() -> list[str]:
        """The job's arguments."""
        from airflow.sdk import Variable as AirflowVariable

        params = get_current_context()["params"]
        max_rows = AirflowVariable.get(Variable.QUALITY_MAX_ROWS)
        return [*params["tables"], "--days", str(params["days"]), "--max-rows", str(max_rows)]

    @task(task_display_name="Judge", outlets=[VALIDATED])
    def judge() -> dict[str, str]:
        """Tell of warnings, stop at what is critical, else let publication go on."""
        from include.config import get_settings
        from include.orchestration.quality_gate import judge as judge_all

        context = get_current_context()
        found = judge_all(get_settings(), context["params"]["tables"])
        context["outlet_events"][VALIDATED].extra.update(found)
        return found

    validate = SparkBatchOperator(
        task_id="validate",
        task_display_name="Validate",
        job="validate.py",
        arguments=choose(),
        inlets=[*SILVER.values(), *GOLD.values()],
    )
    validate >> judge()
