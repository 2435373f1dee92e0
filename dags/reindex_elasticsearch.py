"""Build an index anew and put it behind its alias, without anybody noticing.

| | |
|---|---|
| **Schedule** | none: by hand, after a changed mapping or a damaged index |
| **Reads** | the documents of the index behind the alias |
| **Writes** | a new numbered index from today's template, then the alias, in one action |
| **May run again** | yes: each run builds a further index |

What arrives meanwhile is caught up with before the switch; counts and checksums by day are compared. The old index is
kept for a while: run this DAG with *Go back* to return to it, with all that was written since.

The alias `metrics` has one index for each segment and day: `lambda_handover` rebuilds those.

**If it fails**, nothing was switched and readers notice nothing.

- *a document does not fit*: the error names it and its field; correct the template or the document.
- *would hold fewer documents*: find out why; where that is right, `python main.py reindex ALIAS --allow-fewer`.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task

from include.names import Alias, DagId
from include.orchestration.assets import REINDEXED
from include.orchestration.defaults import Tag, task_defaults

ALIASES = [alias.value for alias in Alias if alias is not Alias.METRICS]

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
        "back": Param(
            False, type="boolean", title="Go back", description="Return to the index before the last reindex instead."
        ),
    },
) as dag:

    @task(task_display_name="Rebuild and switch", outlets=[REINDEXED])
    def rebuild() -> dict[str, Any]:
        """Build, compare, switch; or go back."""
        from include.config import get_settings
        from include.orchestration.reindex import rebuild as run

        context = get_current_context()
        alias = Alias(context["params"]["alias"])
        done = run(get_settings(), alias, back=context["params"]["back"])
        context["outlet_events"][REINDEXED].extra.update(done)
        return done

    rebuild()
