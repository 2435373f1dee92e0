"""Count every event once more, independently, and list those that are not everywhere they must be.

| | |
|---|---|
| **Schedule** | daily at 04:40 UTC; also by hand |
| **Reads** | Kafka, `bronze.events`, `bronze.rejected`, silver, `gold.metrics_daily`, the alias `metrics` |
| **Writes** | the report in `<data>/audits`, `pipeline-health`, an alert when something differs |
| **May run again** | yes, it only reads |

Event ids are cut out of the raw bytes, without the pipeline's own parser. Each record that was not refused must be in
silver once; gold and the live totals must count exactly these. The run succeeds also when it finds differences: they
are in its result, on the asset event and in the alert.

**When it finds differences**, the report names the events:

- *in Kafka, not in bronze*: the archive lost records. `main.py stream health`; they are in Kafka for a week.
- *in bronze, not in silver*, *in silver, not in bronze*: run *Batch recompute*; if it stays, `process-batch --full`.
- *live total*: a copy came after the window in which the speed layer remembers ids; the suspects are listed. The next
  handover replaces the total by the exact one.

**If it fails**, a stream is behind or does not run: the error says which. Start the speed layer, then clear the task.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task

from include.names import DagId, Pool
from include.orchestration.assets import AUDITED, BRONZE_EVENTS, BRONZE_REJECTED, GOLD, METRICS, SILVER
from include.orchestration.defaults import Tag, task_defaults

with DAG(
    dag_id=DagId.AUDIT,
    dag_display_name="Audit",
    description="Distinct events in Kafka, bronze, silver, gold and the live totals",
    doc_md=__doc__,
    tags=[Tag.QUALITY],
    schedule="40 4 * * *",
    # Each run looks at the last days anyway.
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=task_defaults(timeout=timedelta(hours=1), retry_delay=timedelta(minutes=2)),
    params={
        "days": Param(
            2, type="integer", minimum=1, maximum=366, title="Days", description="The last days of event time."
        ),
    },
) as dag:

    @task(
        task_display_name="Count and compare",
        pool=Pool.SPARK_BATCH,
        inlets=[BRONZE_EVENTS, BRONZE_REJECTED, METRICS, *SILVER.values(), *GOLD.values()],
        outlets=[AUDITED],
    )
    def audit() -> dict[str, Any]:
        """Counts and findings."""
        from include.config import get_settings
        from include.orchestration.audit import audit as run

        context = get_current_context()
        found = run(get_settings(), context["params"]["days"])
        context["outlet_events"][AUDITED].extra.update(found)
        return found

    audit()
