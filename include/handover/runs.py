"""Records of handovers: one folder per run below ``<data>/handover``, its ``run.json`` replaced by atomic rename.

The record says which step is done. A run that ended early is found again by its record, and goes on from there.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from include.config import Settings
from include.errors import PlatformError
from include.handover.checkpoint import Offsets
from include.handover.segments import Segment, write_atomically

_FILE: Final = "run.json"


class Step(StrEnum):
    """The last step that a run has done."""

    PLANNED = "planned"
    COMPUTED = "computed"
    COMPARED = "compared"
    INDEXED = "indexed"
    SWITCHED = "switched"
    DONE = "done"
    REFUSED = "refused"
    REHEARSED = "rehearsed"

    @property
    def is_last(self) -> bool:
        """Whether nothing is left to do."""
        return self in (Step.DONE, Step.REFUSED, Step.REHEARSED)


@dataclass(frozen=True)
class HandoverRun:
    """One handover.

    Attributes:
        run_id: Number of the run, six digits.
        segments: Numbers of the segments that it hands over, in order.
        start_offsets: Where the handover before ended.
        end_offsets: Where the last of the segments ends.
        step: What is done.
        started_at: When it was planned (UTC, ISO 8601).
        finished_at: When its last step was done.
        days: Days that it replaced.
        drift: Relative difference of the layers, events of all windows.
        causes: Counts of what explains differences.
        unexplained: How many cells differ without a reason.
        accepted: Why a person accepted unexplained differences.
    """

    run_id: str
    segments: tuple[int, ...]
    start_offsets: Offsets
    end_offsets: Offsets
    step: Step = Step.PLANNED
    started_at: str = field(default_factory=lambda: now())
    finished_at: str | None = None
    days: tuple[str, ...] = ()
    drift: float | None = None
    causes: dict[str, int] = field(default_factory=dict)
    unexplained: int | None = None
    accepted: str | None = None


def now() -> str:
    """This moment, as records write it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _offsets(value: dict[str, dict[str, int]]) -> Offsets:
    return {topic: {int(number): end for number, end in partitions.items()} for topic, partitions in value.items()}


def load_run(folder: Path) -> HandoverRun:
    """The record in a run's folder."""
    row: dict[str, Any] = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    row["step"] = Step(row["step"])
    for name in ("start_offsets", "end_offsets"):
        row[name] = _offsets(row[name])
    for name in ("segments", "days"):
        row[name] = tuple(row[name])
    return HandoverRun(**row)


class HandoverBusyError(PlatformError):
    """Raised when another handover runs."""


class RunStore:
    """All runs of a platform."""

    def __init__(self, settings: Settings) -> None:
        self.root = settings.platform_data_dir / "handover"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else changes which batch indices are read while the block runs.

        Raises:
            HandoverBusyError: If somebody does already.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise HandoverBusyError("another handover runs: wait for it to end, or stop it") from error
            yield

    def folder(self, run: HandoverRun) -> Path:
        """The folder of a run."""
        return self.root / run.run_id

    def save(self, run: HandoverRun) -> HandoverRun:
        """Keep the record; returns it."""
        write_atomically(self.folder(run) / _FILE, json.dumps(asdict(run), indent=1))
        return run

    def runs(self) -> list[HandoverRun]:
        """Every run, oldest first."""
        return [load_run(path.parent) for path in sorted(self.root.glob(f"[0-9]*/{_FILE}"))]

    def unfinished(self) -> HandoverRun | None:
        """The run that ended before its last step; None when there is none."""
        return next((run for run in self.runs() if not run.step.is_last), None)

    def last_done(self) -> HandoverRun | None:
        """The last run that switched the alias; None before the first."""
        done = [run for run in self.runs() if run.step is Step.DONE]
        return done[-1] if done else None

    def plan(self, segments: list[Segment]) -> HandoverRun:
        """Make and keep the record of a run that hands over these sealed segments."""
        runs = self.runs()
        done = self.last_done()
        end = segments[-1].end_offsets
        if end is None:
            raise ValueError(f"segment {segments[-1].number} is open")
        number = int(runs[-1].run_id) + 1 if runs else 1
        return self.save(
            HandoverRun(
                run_id=f"{number:06d}",
                segments=tuple(segment.number for segment in segments),
                start_offsets=done.end_offsets if done else {},
                end_offsets=end,
            )
        )
