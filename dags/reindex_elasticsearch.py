"""Build an index anew and put it behind its alias, without anybody noticing.

| | |
|---|---|
| **Schedule** | none: by hand, after a changed mapping or a damaged index |
| **Reads** | the index behind the alias; or, with *From the lake*, silver (`events`) or gold (`metrics`) |
| **Writes** | a new numbered index from today's template, then the alias, in one action |
| **May run again** | yes: each run builds a further index |

What arrives meanwhile is caught up with before the switch; counts and checksums by day are compared. The old index is
kept for a while: run this DAG with *Go back* to return to it, with all that was written since.

The alias `metrics` has one index for each segment and day. The days that `lambda_handover` has computed are loaded
again from gold; segments hold what was not handed over yet and are left alone.

**If it fails**, nothing was switched and readers notice nothing.

- *a document does not fit*: the error names it and its field; correct the template or the document.
- *would hold fewer documents*: find out why; where that is right, `python main.py reindex ALIAS --allow-fewer`.
- *has no source in the lake*: run it without *From the lake*.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task

from include.names import Alias, DagId, Pool
from include.orchestration.assets import REINDEXED
from include.orchestration.defaults import Tag, task_defaults

ALIASES = [alias.value for alias in Alias]

with DAG(
    dag_id=DagId.REINDEX_ELASTICSEARCH,
    dag_display_name="Reindex Elasticsearch",
    description="A new index behind an alias, checked before the switch",
    doc_md=__doc__,
    tags=[Tag.SERVING, Tag.MAINTENANCE],
    schedule=None,
    catchup=False,
    # Two rebuilds of one alias would switch each other's work away.
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=task_defaults(retries=1, timeout=timedelta(hours=2), retry_delay=timedelta(minutes=1)),
    params={
        "alias": Param(
            Alias.PIPELINE_HEALTH.value,
            type="string",
            enum=ALIASES,
            title="Alias",
            description="Whose index is built anew.",
        ),
        "from_lake": Param(
            False,
            type="boolean",
            title="From the lake",
            description="Take the documents from silver (events) or gold (metrics, which has no other source).",
        ),
        "back": Param(
            False, type="boolean", title="Go back", description="Return to the index before the last reindex instead."
        ),
    },
) as dag:

    @task(task_display_name="Rebuild and switch", pool=Pool.SPARK_BATCH, outlets=[REINDEXED])
    def rebuild() -> dict[str, Any]:
        """Build, compare, switch; or go back."""
        from include.config import get_settings
        from include.orchestration.reindex import rebuild as run

        context = get_current_context()
        params = context["params"]
        done = run(get_settings(), Alias(params["alias"]), from_lake=params["from_lake"], back=params["back"])
        context["outlet_events"][REINDEXED].extra.update(done)
        return done

    rebuild()
