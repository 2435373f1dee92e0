"""When a sick speed layer is started again: at once, then with growing pauses, and no more often than a cap an hour."""

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from include.config import Settings

HOUR_SECONDS: Final = 3600.0
FIRST_PAUSE_SECONDS: Final = 60.0
LONGEST_PAUSE_SECONDS: Final = 600.0


class Step(StrEnum):
    """What a look at the verdicts leads to."""

    NOTHING = "nothing"
    RESTART = "restart"
    WAIT = "wait"
    GIVE_UP = "give up"
    RECOVERED = "recovered"


@dataclass(frozen=True)
class History:
    """What was tried so far.

    Attributes:
        restarts: When it was started again in the last hour (Unix seconds).
        is_open: Whether the present trouble was told and its end was not.
        gave_up: Whether it was told that nothing more is tried for now.
    """

    restarts: tuple[float, ...] = ()
    is_open: bool = False
    gave_up: bool = False


def pause_after(restarts: int) -> float:
    """Seconds to wait after so many restarts in an hour: 60, 120, 240, 480, then 600."""
    return min(FIRST_PAUSE_SECONDS * 2 ** (restarts - 1), LONGEST_PAUSE_SECONDS) if restarts else 0.0


def decide(history: History, *, is_sick: bool, now: float, cap: int) -> tuple[Step, History]:
    """The next step, and the history with it.

    Args:
        history: What was tried so far.
        is_sick: Whether a restart may mend what is wrong.
        now: Unix seconds.
        cap: Restarts in an hour, at most.
    """
    recent = tuple(time for time in history.restarts if now - time < HOUR_SECONDS)
    if not is_sick:
        return (Step.RECOVERED if history.is_open else Step.NOTHING), History(restarts=recent)
    if recent and now - recent[-1] < pause_after(len(recent)):
        return Step.WAIT, replace(history, restarts=recent)
    if len(recent) < cap:
        return Step.RESTART, History(restarts=(*recent, now), is_open=True)
    told = Step.WAIT if history.gave_up else Step.GIVE_UP
    return told, History(restarts=recent, is_open=True, gave_up=True)


def _path(settings: Settings) -> Path:
    return settings.platform_data_dir / "supervision" / "restarts.json"


def load(settings: Settings) -> History:
    """The history that was kept; a new one at first."""
    path = _path(settings)
    if not path.exists():
        return History()
    body = json.loads(path.read_text(encoding="utf-8"))
    return History(restarts=tuple(body["restarts"]), is_open=body["is_open"], gave_up=body["gave_up"])


def keep(settings: Settings, history: History) -> None:
    """Keep the history for the next look."""
    path = _path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(asdict(history)), encoding="utf-8")
    draft.replace(path)
