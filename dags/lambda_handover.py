"""Hand over from the speed layer to the batch layer: exact, or refused.

| | |
|---|---|
| **Schedule** | hourly at minute 35, and when `data_quality` has validated the tables; also by hand |
| **Reads** | the sealed segments of the live query, `bronze.events` |
| **Writes** | batch indices behind `metrics`, `gold.metrics_10s`, `gold.late_windows`, `pipeline-health` |
| **May run again** | yes: an interrupted handover is finished, each of its steps once |

The live query's segment is sealed, its days are recomputed from bronze up to exactly its last offset, and both are
compared window by window. Only when every difference is explained, one alias action switches all readers.

**If *Gate* fails**, a table breaks a critical promise; see *Data quality*. Nothing was switched.

**If *Hand over* fails**:

- *refused: cells differ without a reason*: readers keep the old view. `comparison.json` in the run's folder lists
  window, speed, batch and what explains the difference. When the batch layer is right, run this DAG with *Accept*.
- *another handover runs*: wait for it.
- anything else: clear the task; it goes on after the last step that was done.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, AssetOrTimeSchedule, CronTriggerTimetable, Param, get_current_context, task

from include.names import DagId, Pool
from include.orchestration.assets import BRONZE_EVENTS, METRICS, VALIDATED
from include.orchestration.defaults import Tag, task_defaults

with DAG(
    dag_id=DagId.LAMBDA_HANDOVER,
    dag_display_name="Handover: speed to batch",
    description="Replaces sealed speed segments by their exact recomputation",
    doc_md=__doc__,
    tags=[Tag.BATCH, Tag.SERVING],
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("35 * * * *", timezone="UTC"), assets=[VALIDATED]),
    # One handover takes all segments that are sealed.
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=task_defaults(timeout=timedelta(hours=1), retry_delay=timedelta(minutes=1)),
    params={
        "rehearse": Param(
            False, type="boolean", title="Only rehearse", description="Compute and compare, but switch nothing."
        ),
        "accept": Param(
            None,
            type=["null", "string"],
            minLength=10,
            title="Accept",
            description="Switch in spite of unexplained differences, for this reason.",
        ),
    },
) as dag:

    @task(task_display_name="Gate", inlets=[VALIDATED])
    def gate() -> None:
        """Refuse while a table breaks a critical promise."""
        from include.config import get_settings
        from include.orchestration.quality_gate import require_published

        require_published(get_settings())

    @task(task_display_name="Hand over", pool=Pool.SPARK_BATCH, inlets=[BRONZE_EVENTS], outlets=[METRICS])
    def hand_over() -> dict[str, Any]:
        """All steps, from the seal to the switch."""
        from include.config import get_settings
        from include.orchestration.handover import hand_over as run

        context = get_current_context()
        done = run(get_settings(), **context["params"])
        context["outlet_events"][METRICS].extra.update(done)
        return done

    gate() >> hand_over()
