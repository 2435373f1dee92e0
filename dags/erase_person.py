"""Erase one person everywhere, after a human has approved what would be erased, with a certificate.

| | |
|---|---|
| **Schedule** | none: by hand, on a person's request |
| **Reads and rewrites** | bronze, silver, gold, dead letters, Elasticsearch |
| **Writes** | the certificate in `<data>/erasures`, which names a pseudonym and never the person |
| **May run again** | yes: it finds only what came since |

1. *Count* says how many rows and documents name the person. Nothing is changed.
2. *Approve* waits for a human in the Airflow UI, under *Required actions*; without an answer in three days, nothing is
   erased.
3. *Erase* puts one random pseudonym in the person's place and erases devices, cards, places and texts. Totals and
   streams are not disturbed: events stay, as somebody's.
4. *Wait*, until what reads the old files has ended (`ERASURE_GRACE_MINUTES`).
5. *Certify* deletes the old files, searches every file and index, and fails if anything is left.

What is not erased but ends by itself is in the certificate: Kafka by retention above all.

On the command line: `airflow dags test erase_person --mark-success-pattern approve -c '{"user_id": "…"}'`, or
`main.py erase`. Afterwards delete this run: its form holds the person's id.

**If it fails**, clear the failed task. *Certify* lists what is left: run the DAG again for what came meanwhile.
"""

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
from airflow.sdk import DAG, Param, get_current_context, task

from include.names import DagId, Pool
from include.orchestration.assets import BRONZE_EVENTS, BRONZE_REJECTED, ERASED, GOLD, SILVER
from include.orchestration.defaults import Tag, task_defaults

with DAG(
    dag_id=DagId.ERASE_PERSON,
    dag_display_name="Erase a person",
    description="One person's data replaced by a pseudonym everywhere, after approval",
    doc_md=__doc__,
    tags=[Tag.MAINTENANCE],
    schedule=None,
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=task_defaults(retries=1, timeout=timedelta(hours=1), retry_delay=timedelta(minutes=1)),
    params={
        "user_id": Param(None, type=["null", "string"], title="Person", description="As events carry it in `user_id`."),
        "reference": Param("-", type="string", title="Reference", description="The request, for example a ticket."),
    },
) as dag:

    @task(
        task_display_name="Count",
        pool=Pool.SPARK_BATCH,
        inlets=[BRONZE_EVENTS, BRONZE_REJECTED, *SILVER.values(), *GOLD.values()],
    )
    def count() -> dict[str, int]:
        """Rows and documents that name the person, by place."""
        from include.config import get_settings
        from include.orchestration.erasure import count as run

        return run(get_settings(), get_current_context()["params"])

    @task(task_display_name="Erase", pool=Pool.SPARK_BATCH)
    def erase() -> dict[str, Any]:
        """The certificate so far."""
        from include.config import get_settings
        from include.orchestration.erasure import erase as run

        return run(get_settings(), get_current_context()["params"])

    @task(task_display_name="Certify", pool=Pool.SPARK_BATCH, outlets=[ERASED])
    def certify() -> dict[str, Any]:
        """The certificate."""
        from include.config import get_settings
        from include.orchestration.erasure import certify as run

        context = get_current_context()
        done = run(get_settings(), context["params"], context["ti"].xcom_pull(task_ids="erase")["run"])
        context["outlet_events"][ERASED].extra.update(done)
        return done

    approve = ApprovalOperator(
        task_id="approve",
        task_display_name="Approve",
        subject="Erase the person of request {{ params.reference }}?",
        body="{% for place, rows in ti.xcom_pull('count').items() %}- {{ place }}: {{ rows }}\n{% endfor %}",
        defaults="Reject",
        response_timeout=timedelta(days=3),
        execution_timeout=timedelta(days=4),
    )
    wait = DateTimeSensorAsync(
        task_id="wait",
        task_display_name="Wait",
        target_time="{{ ti.xcom_pull('erase')['vacuum_after'] }}",
        execution_timeout=timedelta(days=8),
    )
    count() >> approve >> erase() >> wait >> certify()
