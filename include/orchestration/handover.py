"""One handover, run from Airflow: with its batch connection checked, and a refusal told once."""

import time
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from include.config import Settings
from include.errors import HandoverRefusedError
from include.handover.handover import Handover
from include.handover.submit import submit_recompute
from include.names import Connection
from include.orchestration.spark_connection import spark_target
from include.serving.client import connect, reachable


def hand_over(settings: Settings, *, rehearse: bool, accept: str | None) -> dict[str, Any]:
    """Run a handover to its end.

    Returns:
        What was handed over, for the asset event.

    Raises:
        AirflowFailException: If it is refused; a retry would compare the same.
    """
    spark_target(Connection.SPARK_BATCH)
    started = time.monotonic()
    with reachable(settings), connect(settings, timeout_seconds=60) as client:
        runs = Handover(settings, client, lambda folder: submit_recompute(settings, folder))
        try:
            run = runs.run(rehearse=rehearse, accept=accept)
        except HandoverRefusedError as error:
            raise AirflowFailException(str(error)) from error
    if run is None:
        return {"step": "nothing to hand over"}
    return {
        "run": run.run_id,
        "step": run.step.value,
        "segments": list(run.segments),
        "days": list(run.days),
        "drift": run.drift,
        "causes": run.causes,
        "seconds": round(time.monotonic() - started, 1),
    }
