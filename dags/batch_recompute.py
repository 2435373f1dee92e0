"""Recompute the exact history from the raw events: bronze → silver → gold.

| | |
|---|---|
| **Schedule** | every hour at minute 5; also by hand and by backfill |
| **Reads** | `bronze.events` |
| **Writes** | the `silver.*` tables, then `gold.metrics_hourly` and `gold.metrics_daily` |
| **Then** | the new gold data triggers `data_quality` |
| **May run again** | yes, at any time: silver keeps one row per event id, each gold day is replaced as a whole |

**Which days.** Gold recomputes the days that silver touched, and those of the form: a range `from` to `to`, or the last
`days`. A backfill recomputes the day of each of its runs.

**If *Gate* fails**, a silver table breaks a critical promise, and gold keeps its old totals. The error names table and
expectation. Mend the cause, or move the rows aside by `main.py quarantine TABLE`; then `main.py validate TABLE`, and
clear the task.

**If another task fails.** The old data stays in place. Read the log's last lines:

- *connection does not exist*: `python -m include.local.airflow_settings` in Airflow's environment.
- *OutOfMemoryError*: raise `SPARK_BATCH_MEMORY` in `.env`, or recompute fewer days at once.
- *concurrent modification*: another job wrote the same table; the retry settles it.

Clear the failed task to go on from there. A bad result is taken back: `python main.py restore TABLE`.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param, get_current_context, task

from include.names import DagId
from include.orchestration.assets import BRONZE_EVENTS, GOLD, SILVER
from include.orchestration.dates import chosen_days
from include.orchestration.defaults import Tag, task_defaults
from include.orchestration.spark_batch import SparkBatchOperator

with DAG(
    dag_id=DagId.BATCH_RECOMPUTE,
    dag_display_name="Batch recompute",
    description="bronze → silver → gold, exact, from the raw events",
    doc_md=__doc__,
    tags=[Tag.BATCH],
    schedule="5 * * * *",
    # Silver goes on where it stopped, so a missed hour is in the next run anyway.
    catchup=False,
    # Two runs would only wait for each other's pool slot.
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=task_defaults(timeout=timedelta(hours=2), retry_delay=timedelta(minutes=1)),
    params={
        "days": Param(
            1, type="integer", minimum=1, maximum=3660, title="Last days", description="Today and the days before it."
        ),
        "from": Param(
            None, type=["null", "string"], format="date", title="From", description="First day; wins over *Last days*."
        ),
        "to": Param(
            None,
            type=["null", "string"],
            format="date",
            title="To",
            description="Last day. Default: the same as *From*.",
        ),
    },
) as dag:

    @task(task_display_name="Choose days")
    def choose_days() -> list[str]:
        """The range of days as the jobs' arguments; a wrong range fails here, before Spark starts."""
        return chosen_days(get_current_context())

    silver = SparkBatchOperator(
        task_id="silver",
        task_display_name="Bronze → silver",
        doc_md="Valid, conformed, one row per event id; goes on from the bronze version that it reached.",
        job="silver.py",
        inlets=[BRONZE_EVENTS],
        outlets=list(SILVER.values()),
    )

    @task(task_display_name="Gate", inlets=list(SILVER.values()))
    def gate() -> None:
        """Refuse while silver breaks a critical promise: gold would publish what is known to be wrong."""
        from include.config import get_settings
        from include.orchestration.quality_gate import require_published

        require_published(get_settings(), SILVER)

    gold = SparkBatchOperator(
        task_id="gold",
        task_display_name="Silver → gold",
        doc_md="Metrics by hour and by day; replaces each day atomically.",
        job="gold.py",
        arguments=choose_days(),
        inlets=list(SILVER.values()),
        outlets=list(GOLD.values()),
    )
    silver >> gate() >> gold
