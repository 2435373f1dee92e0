"""Start, stop or restart the speed layer: the streams from Kafka to Elasticsearch and bronze.

| | |
|---|---|
| **Schedule** | none: by hand. `./run.sh start` starts the streams as well, `speed_layer_health` restarts them |
| **Reads** | the raw Kafka topics |
| **Writes** | `bronze.events`, `bronze.rejected`, the aliases `metrics` and `pipeline-health` |
| **May run again** | yes: what is already as asked is left alone |

The driver is submitted with master and settings of the connection `spark_default` and handed to the platform's
supervisor. It holds no worker slot, outlives this task, and goes on when Airflow is paused or away.

- **start**: nothing to do when it runs.
- **stop**: its micro-batches in flight end first; it stays down until somebody starts it.
- **restart**: goes on from its checkpoints, nothing is lost and nothing counted twice.

**If it fails.** The log ends with the driver's own last lines (all of them: `./run.sh logs speed-layer`).

- *connection does not exist*: `python -m include.local.airflow_settings` in Airflow's environment.
- *another driver holds the lease*: it runs on another machine; stop it there.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task

from include.names import DagId
from include.orchestration.assets import BRONZE_EVENTS, BRONZE_REJECTED, DEAD_LETTERS, METRICS, TOPICS
from include.orchestration.defaults import Tag, task_defaults

with DAG(
    dag_id=DagId.SPEED_LAYER,
    dag_display_name="Speed layer: start, stop, restart",
    description="Hands the streams' driver to the supervisor",
    doc_md=__doc__,
    tags=[Tag.SPEED],
    schedule=None,
    catchup=False,
    # A stop must not overtake a start.
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=task_defaults(timeout=timedelta(minutes=5), retry_delay=timedelta(seconds=10)),
    params={
        "action": Param(
            "start",
            type="string",
            enum=["start", "stop", "restart"],
            title="What to do",
            description="What is already as asked is left alone; *restart* takes a running driver down first.",
        ),
    },
) as dag:

    @task(
        task_display_name="Ask the supervisor",
        inlets=list(TOPICS),
        outlets=[BRONZE_EVENTS, BRONZE_REJECTED, DEAD_LETTERS, METRICS],
    )
    def control() -> dict[str, Any]:
        """Do what the form asks, and tell what runs now."""
        from include.config import get_settings
        from include.orchestration.speed_control import control as ask

        context = get_current_context()
        done = ask(get_settings(), str(context["params"]["action"]))
        for outlet in context["task"].outlets:
            context["outlet_events"][outlet].extra.update(done)
        return done

    control()
