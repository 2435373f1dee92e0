"""Learn what customers like, and show it where it is clearly better than what most like.

| | |
|---|---|
| **Schedule** | daily at 04:40 UTC; also by hand |
| **Reads** | `silver.user_events` and `silver.purchases` of the last *Days* |
| **Writes** | `gold.recommendations`, the alias `recommendations`, figures in `pipeline-health` |
| **May run again** | yes: each run trains anew and builds a further index |

The last fifth of the time is kept from the model, then compared with what it recommends: recall, hit rate and coverage
of the first ten. It is shown when its recall is at least a tenth above that of popularity, and not more than a tenth
below that of the model that is shown. Until the first such model, everybody sees what most like.

**If *Publish* shows nothing new**, an alert says why, with the figures; customers keep what they see. *Worse than what
is shown* after a change in the shop is no mistake: `rm <data>/recommendations/published.json`, then run this again.

**If *Train* fails**, nothing has changed: read the Spark log, then clear the task. The way back from a published model
is `python main.py rollback recommendations`.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task

from include.names import DagId, Table
from include.orchestration.assets import GOLD_RECOMMENDATIONS, RECOMMENDATIONS, SILVER
from include.orchestration.defaults import Tag, task_defaults
from include.orchestration.spark_batch import SparkBatchOperator

LIKED = [SILVER[Table.SILVER_USER_EVENTS], SILVER[Table.SILVER_PURCHASES]]

with DAG(
    dag_id=DagId.RECOMMENDATIONS,
    dag_display_name="Recommendations",
    description="Trains, measures against popularity, and shows what is clearly better",
    doc_md=__doc__,
    tags=[Tag.BATCH, Tag.SERVING],
    schedule="40 4 * * *",
    # A model of yesterday is of no use beside today's.
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=task_defaults(timeout=timedelta(hours=2), retry_delay=timedelta(minutes=2)),
    params={
        "days": Param(
            90,
            type="integer",
            minimum=1,
            maximum=3660,
            title="Days",
            description="How far back customers' deeds count, from the newest day there is.",
        ),
    },
) as dag:

    @task(task_display_name="Choose")
    def choose() -> list[str]:
        """The job's arguments: where it writes, and how far back it looks."""
        from include.config import get_settings
        from include.recommendations.records import new_folder

        return [str(new_folder(get_settings())), "--days", str(get_current_context()["params"]["days"])]

    @task(task_display_name="Publish", inlets=[GOLD_RECOMMENDATIONS], outlets=[RECOMMENDATIONS])
    def publish(arguments: Any) -> dict[str, Any]:
        """Switch the alias where the figures allow it, and tell."""
        from pathlib import Path

        from include.config import get_settings
        from include.recommendations.publishing import publish_training

        done = publish_training(get_settings(), Path(arguments[0]))
        get_current_context()["outlet_events"][RECOMMENDATIONS].extra.update(done)
        return done

    chosen = choose()
    train = SparkBatchOperator(
        task_id="train",
        task_display_name="Train and measure",
        doc_md="Trains on the first four fifths of the time, measures on the rest, decides, trains on all.",
        job="recommendations.py",
        arguments=chosen,
        inlets=LIKED,
        outlets=[GOLD_RECOMMENDATIONS],
    )
    train >> publish(chosen)
