"""Keep tables and indices fast: join small files, delete what no version and no reader needs any longer.

| | |
|---|---|
| **Schedule** | daily at 03:20 UTC; also by hand |
| **Reads and rewrites** | all Delta tables; of those by day the days that are over and wait for no recompute |
| **Deletes** | indices that nobody has read for `INDEX_KEEP_HOURS`, observations older than `HEALTH_KEEP_DAYS` |
| **With `PERSONAL_KEEP_DAYS`** | replaces who it was in older rows of silver; deletes older records and documents |
| **May run again** | yes, and beside the live stream: a conflict with its writes is retried |

**If it fails.** Nothing is broken: a table keeps its old files until the new ones are committed. Run it again for the
table that the log names. *No space left on device*: run it with a shorter retention. *Clean indices* does not wait for
the tables, and deletes nothing that an alias shows.

A shorter retention also shortens how far time travel and `RESTORE` reach back.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param, get_current_context, task

from include.names import DagId, Table
from include.orchestration.assets import BRONZE_EVENTS, BRONZE_REJECTED, COMPACTED, GOLD, INDICES_CLEANED, SILVER
from include.orchestration.defaults import Tag, task_defaults
from include.orchestration.spark_batch import SparkBatchOperator

with DAG(
    dag_id=DagId.COMPACT_TABLES,
    dag_display_name="Compact tables",
    description="Joins small files, deletes old ones and unread indices",
    doc_md=__doc__,
    tags=[Tag.MAINTENANCE, Tag.BATCH],
    schedule="20 3 * * *",
    # What yesterday's run would have done, today's does.
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=task_defaults(timeout=timedelta(hours=2), retry_delay=timedelta(minutes=2)),
    params={
        "tables": Param(
            [table.value for table in Table],
            type="array",
            items={"type": "string", "enum": [table.value for table in Table]},
            examples=[table.value for table in Table],
            minItems=1,
            title="Tables",
            description="Which tables to compact.",
        ),
    },
    render_template_as_native_obj=True,
) as dag:

    @task(task_display_name="Clean indices", outlets=[INDICES_CLEANED])
    def clean_indices() -> list[str]:
        """Delete the indices whose time is over; their names."""
        from include.config import get_settings
        from include.orchestration.reindex import clean

        deleted = clean(get_settings())
        get_current_context()["outlet_events"][INDICES_CLEANED].extra.update({"deleted": ", ".join(deleted)})
        return deleted

    clean_indices()
    SparkBatchOperator(
        task_id="compact",
        task_display_name="Optimize and vacuum",
        job="compact.py",
        arguments="{{ params.tables }}",
        inlets=[BRONZE_EVENTS, BRONZE_REJECTED, *SILVER.values(), *GOLD.values()],
        outlets=[COMPACTED],
    )
