"""Send refused events again: repaired by rules, each counted once, with a receipt.

| | |
|---|---|
| **Schedule** | none: by hand, after somebody has looked at `main.py dead-letters report` |
| **Reads** | `bronze.rejected`, silver, `bronze.events` |
| **Writes** | the topics of the events; the receipt in `<data>/dead-letters/receipts`, `pipeline-health`, Slack |
| **May run again** | yes: letters with an outcome and events that are there already are not sent again |

Without rules, what keeps its contract by now is sent: a later version of the contract takes it, its time is no longer
in the future, or only its key was wrong. **Rules** are YAML, applied in their order; a letter that still breaks its
contract afterwards stays where it is:

    rules:
      - {set: $.country, value: GB, when: {topic: user-events, values: {$.country: uk}}}
      - {rename: $.userId, to: $.user_id}
      - {cast: "$.items[*].quantity", to: integer}
      - {default: $.schema_version, value: 1}
      - {drop: $.debug}

Begin with *Only rehearse*: the receipt, which the task returns, has counts and samples with personal values masked.

**If it fails**:

- *rule 3: …*: the rules are wrong, nothing was sent. Correct them and run again.
- *not acknowledged* or anything else: clear the task. What was sent before is found and not sent twice.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task

from include.contracts.rules import Reason
from include.names import RAW_TOPICS, DagId, Pool
from include.orchestration.assets import BRONZE_REJECTED, LETTERS_REPLAYED
from include.orchestration.defaults import Tag, task_defaults

TOPICS = [topic.value for topic in RAW_TOPICS]
REASONS = [reason.value for reason in Reason]

with DAG(
    dag_id=DagId.DEAD_LETTER_REPLAY,
    dag_display_name="Replay dead letters",
    description="Repairs refused events by rules and sends them again",
    doc_md=__doc__,
    tags=[Tag.QUALITY],
    schedule=None,
    catchup=False,
    # Two replays would wait for each other anyway.
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=task_defaults(retries=1, timeout=timedelta(hours=1), retry_delay=timedelta(minutes=1)),
    params={
        "topics": Param(
            [],
            type="array",
            items={"type": "string", "enum": TOPICS},
            examples=TOPICS,
            title="Topics",
            description="Only events of these; none chooses all.",
        ),
        "reasons": Param(
            [],
            type="array",
            items={"type": "string", "enum": REASONS},
            examples=REASONS,
            title="Reasons",
            description="Only events refused for these; none chooses all.",
        ),
        "since": Param(
            None, type=["null", "string"], format="date-time", title="Since", description="Taken by Kafka since."
        ),
        "until": Param(
            None, type=["null", "string"], format="date-time", title="Until", description="Taken by Kafka before."
        ),
        "rules": Param(
            None,
            type=["null", "string"],
            format="multiline",
            title="Rules",
            description="YAML, see the DAG's documentation.",
        ),
        "rehearse": Param(True, type="boolean", title="Only rehearse", description="Count and show; send nothing."),
    },
) as dag:

    @task(
        task_display_name="Repair and send",
        pool=Pool.SPARK_BATCH,
        inlets=[BRONZE_REJECTED],
        outlets=[LETTERS_REPLAYED],
    )
    def replay() -> dict[str, Any]:
        """The receipt."""
        from include.config import get_settings
        from include.orchestration.dead_letters import replay as run

        context = get_current_context()
        receipt = run(get_settings(), context["params"], str(context["dag"].dag_id), context["run_id"])
        context["outlet_events"][LETTERS_REPLAYED].extra.update(receipt)
        return receipt

    replay()
