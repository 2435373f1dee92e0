"""What happened, for people: a report on each day and each week, with charts.

| | |
|---|---|
| **Schedule** | daily at 06:10 UTC; on Mondays also the week |
| **Reads** | the aliases `metrics`, `fraud-alerts` and `pipeline-health`, verdicts on tables, alerts |
| **Writes** | `<data>/reports/<daily or weekly>-<first day>.html` and `.md` |
| **Then** | a message with the main figures and a link, to whoever the routing file names for `report` |
| **May run again** | yes: it replaces the report, and tells nobody twice |

Revenue, orders and conversion against the period before, what sold best, suspected fraud, data quality, latency,
freshness and handovers. *Report* on the task opens it; it is behind Airflow's login.

**If it fails**, nothing depends on it. *elasticsearch is not available*: see `./run.sh status`, then clear the task.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task

from include.names import DagId
from include.orchestration.assets import METRICS, REPORTS, VALIDATED
from include.orchestration.defaults import Tag, task_defaults

with DAG(
    dag_id=DagId.PLATFORM_REPORT,
    dag_display_name="Platform report",
    description="Each day and each week for people, with charts",
    doc_md=__doc__,
    tags=[Tag.SERVING],
    schedule="10 6 * * *",
    # A backfill makes the reports of past days.
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=task_defaults(timeout=timedelta(minutes=10), retry_delay=timedelta(minutes=1)),
    params={
        "length": Param(
            "scheduled",
            type="string",
            enum=["scheduled", "daily", "weekly"],
            title="Length",
            description="*scheduled*: the day, and on Mondays the week.",
        ),
        "day": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Day",
            description="A day of the period. Default: the last one that is over.",
        ),
    },
) as dag:

    @task(task_display_name="Report", inlets=[METRICS, VALIDATED], outlets=[REPORTS])
    def report() -> list[dict[str, Any]]:
        """Ask, write, tell."""
        from include.config import get_settings
        from include.orchestration.reports import periods
        from include.reports.publishing import publish

        context = get_current_context()
        done = [publish(get_settings(), period) for period in periods(context)]
        context["outlet_events"][REPORTS].extra.update({one["report"]: one["url"] for one in done})
        return done

    report()
