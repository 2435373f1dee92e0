"""The receipt of a replay: what was read, what became of it, what is still refused and why."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from include.alerting.alert import Alert, Kind, Link, Severity
from include.config import Settings
from include.dead_letters.ledger import Outcome, dead_letters_dir
from include.names import DagId

if TYPE_CHECKING:
    from include.serving.pipeline_health import HealthRecord

SAMPLES: Final = 5
_REASONS_TOLD: Final = 8


@dataclass
class Receipt:
    """What a replay did; of a rehearsal, what it would do.

    Attributes:
        run: Its name.
        started_at: When it began.
        is_rehearsal: Whether nothing was sent.
        selection: Which letters were chosen.
        rules: The rules' name and how many there are.
        read: Letters that were looked at.
        repaired: Events that were sent.
        already_present: Letters whose event is there already, or that were replayed before.
        still_refused: Letters that still break their contract.
        by_reason: For each reason of the letters, how many had which outcome.
        refused: Each letter that is still refused: place, reason, field, expected, found (masked where personal).
        samples: A few letters before and after, personal values masked.
        link: The Airflow run, where there is one.
        finished_at: When it ended; empty while it runs.
    """

    run: str
    started_at: str
    is_rehearsal: bool
    selection: dict[str, Any]
    rules: str
    read: int = 0
    repaired: int = 0
    already_present: int = 0
    still_refused: int = 0
    by_reason: dict[str, dict[str, int]] = field(default_factory=dict)
    refused: list[dict[str, str]] = field(default_factory=list)
    samples: list[dict[str, str]] = field(default_factory=list)
    link: str = ""
    finished_at: str = ""

    def count(self, reason: str, outcome: Outcome) -> None:
        """Count one letter."""
        self.read += 1
        setattr(self, outcome.value, getattr(self, outcome.value) + 1)
        counts = self.by_reason.setdefault(reason, {})
        counts[outcome.value] = counts.get(outcome.value, 0) + 1

    def keep(self, settings: Settings) -> Path:
        """Store it; returns where."""
        path = receipts_dir(settings) / f"{self.run}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        draft.replace(path)
        return path

    def in_words(self) -> str:
        """On one line."""
        verb = "would be repaired" if self.is_rehearsal else "repaired"
        return (
            f"{self.read} letters read, {self.repaired} {verb}, {self.already_present} already present, "
            f"{self.still_refused} still refused"
        )

    def health_record(self) -> "HealthRecord":
        """For ``pipeline-health``."""
        from include.serving.pipeline_health import HealthRecord

        counts = ("read", "repaired", "already_present", "still_refused")
        return HealthRecord(
            time=datetime.fromisoformat(self.finished_at or self.started_at),
            kind="dead_letters",
            subject="replay",
            status="degraded" if self.still_refused else "ok",
            reason=self.in_words() if self.still_refused else None,
            metrics={name: getattr(self, name) for name in counts},
            details={name: value for name, value in asdict(self).items() if name not in (*counts, "refused")},
        )

    def alert(self, settings: Settings, path: Path) -> Alert:
        """For Slack: an information, also of what is still refused."""
        refused = Counter(one["reason"] for one in self.refused).most_common(_REASONS_TOLD)
        reasons = {f"still {reason}": str(count) for reason, count in refused}
        return Alert(
            source="dead-letters",
            kind=Kind.AUDIT,
            severity=Severity.INFO,
            subject=f"Dead letters replayed: {self.in_words()}",
            key=f"dead-letters/replay/{self.run}",
            evidence={"receipt": str(path), "rules": self.rules, **reasons},
            links=(Link(label="Run", url=self.link),) if self.link else (),
            runbook=f"{settings.airflow_url}/dags/{DagId.DEAD_LETTER_REPLAY}",
        )


def receipts_dir(settings: Settings) -> Path:
    """Where receipts are."""
    return dead_letters_dir(settings) / "receipts"


def receipts(settings: Settings) -> list[Receipt]:
    """All receipts, the newest first."""
    paths = sorted(receipts_dir(settings).glob("*.json"), reverse=True)
    return [Receipt(**json.loads(path.read_text(encoding="utf-8"))) for path in paths]
