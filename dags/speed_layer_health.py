"""Look after the streams every minute, and start them again when they are sick.

| | |
|---|---|
| **Schedule** | every minute |
| **Reads** | the streams' heartbeats, Kafka's end offsets, Elasticsearch, the disk |
| **Writes** | a verdict per stream in `pipeline-health`, alerts |
| **May run again** | yes: one look more |

A stream is healthy when its offsets **and** its watermark move while input arrives, not because a process lives.
Lag, duration of micro-batches and the share of dead letters are looked at as well.

**Sick**: the driver is started again from its checkpoints; at once the first time, then after 1, 2, 4, 8, 10 minutes,
at most as often in an hour as the variable `speed_layer_restarts_per_hour` says. It alerts on a restart, when it gives
up, and when all is well again. While Kafka, Elasticsearch or disk space is missing, a restart would not help and is not
tried. Streams that somebody stopped are left alone.

**If it gave up.** The alert and `./run.sh logs speed-layer` say why the driver ends. Mend that, then run *Speed layer*
with *restart*. **If this DAG itself fails**, the streams go on: nothing depends on it.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, get_current_context, task

from include.names import DagId, Variable
from include.orchestration.assets import BRONZE_EVENTS, STREAM_HEALTH
from include.orchestration.defaults import AT_FIRST_START, Tag, task_defaults

with DAG(
    dag_id=DagId.SPEED_LAYER_HEALTH,
    dag_display_name="Speed layer: health",
    description="A verdict per stream each minute; restarts what is sick",
    doc_md=__doc__,
    tags=[Tag.SPEED],
    schedule="* * * * *",
    start_date=AT_FIRST_START,
    # An old minute's health is of no use.
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    # The next minute is the real retry.
    default_args=task_defaults(retries=1, retry_delay=timedelta(seconds=5), timeout=timedelta(minutes=3)),
) as dag:

    @task(task_display_name="Look at every stream", inlets=[BRONZE_EVENTS], outlets=[STREAM_HEALTH])
    def look() -> dict[str, Any]:
        """Verdicts, restart, alerts."""
        from functools import partial

        from airflow.sdk import Variable as AirflowVariable

        from include.config import get_settings
        from include.orchestration.speed_control import control
        from include.orchestration.stream_health import look as look_once

        settings = get_settings()
        cap = int(AirflowVariable.get(Variable.SPEED_LAYER_RESTARTS_PER_HOUR))
        found = look_once(settings, partial(control, settings, "restart"), cap)
        get_current_context()["outlet_events"][STREAM_HEALTH].extra.update(found)
        return found

    look()
