"""One look at the speed layer: verdicts, what follows from them, who is told."""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from include.alerting.alert import Alert, Kind, Severity
from include.alerting.outbox import Outbox
from include.config import Settings
from include.errors import PartUnavailableError
from include.orchestration.endings import alerts_of
from include.orchestration.restarts import History, Step, decide, keep, load
from include.supervision import speed_layer
from include.supervision.health import Verdict, check, sick_shares
from include.supervision.shares import Share

logger = logging.getLogger(__name__)

_SEVERITY = {Step.RESTART: Severity.WARNING, Step.GIVE_UP: Severity.CRITICAL, Step.RECOVERED: Severity.INFO}


def look(settings: Settings, restart: Callable[[Collection[Share]], object], cap: int) -> dict[str, Any]:
    """Check every stream, start drivers again where that helps, and tell.

    A stream that nobody wants to run is left alone: it was stopped on purpose.

    Args:
        settings: The platform's settings.
        restart: Starts the drivers of some shares again.
        cap: Restarts in an hour, at most.

    Returns:
        The verdicts and the step, for the run's record.

    Raises:
        PartUnavailableError: If the restart fails; the next look goes on from there.
    """
    verdicts = check(settings)
    state = speed_layer.state(settings)
    is_wanted = state.is_wanted
    sick = sick_shares(verdicts) if is_wanted else frozenset()
    step, history = decide(load(settings), is_sick=bool(sick), now=time.time(), cap=cap)
    # Kept before it is done: a restart that fails counts, so that its pause is kept as well.
    keep(settings, history)
    _tell(settings, step, history, verdicts, cap)
    for alert in alerts_of(settings, state, verdicts):
        Outbox(settings).put(alert)
    logger.info("speed_layer step=%s wanted=%s %s", step, is_wanted, _in_words(verdicts))
    if step is Step.RESTART:
        restart(sick)
    _publish(settings, verdicts, is_wanted=is_wanted)
    if is_wanted:
        _watch_freshness(settings)
    statuses = {verdict.subject: verdict.status for verdict in verdicts}
    return {"step": step.value, "wanted": is_wanted, "restarts_last_hour": len(history.restarts), **statuses}


def _watch_freshness(settings: Settings) -> None:
    from include.freshness.watch import watch

    try:
        late = [age.subject for age in watch(settings) if age.is_late]
    except PartUnavailableError as error:
        # Its own verdict says so already.
        logger.warning("freshness is not known: %s", error)
    else:
        logger.info("late=%s", ",".join(late) or "nothing")


def _in_words(verdicts: Sequence[Verdict]) -> str:
    return " ".join(f"{verdict.subject}={verdict.status}" for verdict in verdicts)


def _tell(settings: Settings, step: Step, history: History, verdicts: Sequence[Verdict], cap: int) -> None:
    if step not in _SEVERITY:
        return
    subjects = {
        Step.RESTART: f"Speed layer is started again ({len(history.restarts)} of {cap} restarts this hour)",
        Step.GIVE_UP: f"Speed layer stays down: {cap} restarts within an hour did not help",
        Step.RECOVERED: "Speed layer is healthy again",
    }
    Outbox(settings).put(
        Alert(
            source="speed-layer",
            kind=Kind.STREAM_HEALTH,
            severity=_SEVERITY[step],
            subject=subjects[step],
            key="speed-layer/health",
            evidence={verdict.subject: "; ".join(verdict.reasons) for verdict in verdicts if verdict.reasons},
            runbook=f"{settings.airflow_url}/dags/speed_layer_health",
            resolved=step is Step.RECOVERED,
        )
    )


def _publish(settings: Settings, verdicts: Sequence[Verdict], *, is_wanted: bool) -> None:
    from include.serving.client import connect, reachable
    from include.serving.pipeline_health import HealthRecord, publish

    now = datetime.now(UTC)
    records = [
        HealthRecord(
            time=now,
            kind="stream_health",
            subject=verdict.subject,
            status=verdict.status,
            reason="; ".join(verdict.reasons) or None,
            metrics=verdict.metrics,
            details={"wanted": is_wanted},
        )
        for verdict in verdicts
    ]
    try:
        with reachable(settings), connect(settings, timeout_seconds=5) as client:
            publish(client, records)
    except PartUnavailableError as error:
        # Its own verdict says so already, and a restart must not depend on it.
        logger.warning("verdicts are not in pipeline-health: %s", error)
