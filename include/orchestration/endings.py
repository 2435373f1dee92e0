"""A driver that ended by itself: the supervisor starts it again at once, and somebody should know."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from include.alerting.alert import Alert, Kind, Severity
from include.config import Settings
from include.handover.segments import write_atomically
from include.names import Part, Query
from include.supervision.health import Verdict
from include.supervision.shares import PARTS, share_of
from include.supervision.speed_layer import SpeedLayerState

# Who starts a driver on purpose says so a moment before.
_ON_PURPOSE_SECONDS: Final = 30.0


def alerts_of(settings: Settings, state: SpeedLayerState, verdicts: Sequence[Verdict]) -> list[Alert]:
    """What is to be told now: of drivers that ended since the last look, and of those that are well again.

    What was told is kept in the data folder, so each ending is told once.
    """
    told = _load(settings)
    ended = endings(state)
    new = {part: since for part, since in ended.items() if told.get(part, (0.0, False))[0] != since}
    sick = {PARTS[share_of(Query(verdict.subject))] for verdict in verdicts if _is_sick_stream(verdict)}
    over = [part for part, (_, is_open) in told.items() if is_open and part not in new and part not in sick]
    if new or over:
        _keep(settings, {**told, **{part: (since, True) for part, since in new.items()}}, over)
    return [*(_ended(settings, part, since) for part, since in new.items()), *(_over(settings, part) for part in over)]


def endings(state: SpeedLayerState) -> dict[Part, float]:
    """Drivers that run since a time at which nobody had asked for a start; and that time, Unix seconds."""
    if state.wanted_at is None:
        return {}
    return {part: since for part, since in state.started_at.items() if since > state.wanted_at + _ON_PURPOSE_SECONDS}


def _is_sick_stream(verdict: Verdict) -> bool:
    return verdict.status == "failed" and verdict.subject in set(Query)


def _ended(settings: Settings, part: Part, since: float) -> Alert:
    again = datetime.fromtimestamp(since, UTC).isoformat()
    told = _alert(settings, part, f"The driver {part} ended by itself and was started again", Severity.WARNING)
    return told.model_copy(update={"evidence": {"runs again since": again, "its log": f"./run.sh logs {part}"}})


def _over(settings: Settings, part: Part) -> Alert:
    told = _alert(settings, part, f"The streams of {part} are healthy again", Severity.INFO)
    return told.model_copy(update={"resolved": True})


def _alert(settings: Settings, part: Part, subject: str, severity: Severity) -> Alert:
    return Alert(
        source="speed-layer",
        kind=Kind.STREAM_HEALTH,
        severity=severity,
        subject=subject,
        key=f"speed-layer/ended/{part}",
        runbook=f"{settings.airflow_url}/dags/speed_layer_health",
    )


def _path(settings: Settings) -> Path:
    return settings.platform_data_dir / "supervision" / "endings.json"


def _load(settings: Settings) -> dict[Part, tuple[float, bool]]:
    path = _path(settings)
    if not path.exists():
        return {}
    body = json.loads(path.read_text(encoding="utf-8"))
    return {Part(part): (since, is_open) for part, (since, is_open) in body.items()}


def _keep(settings: Settings, told: Mapping[Part, tuple[float, bool]], over: Sequence[Part]) -> None:
    path = _path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    body = {part.value: (since, is_open and part not in over) for part, (since, is_open) in told.items()}
    write_atomically(path, json.dumps(body))
