"""What an audit found: counts of every place that an event passes, and every difference with the ids of its events."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from include.alerting.alert import Alert, Kind, Severity
from include.config import Settings
from include.names import DagId

if TYPE_CHECKING:
    from include.serving.pipeline_health import HealthRecord

# Ids that are listed of one difference; its count says how many there are.
LISTED: Final = 100
_TOLD: Final = 5


@dataclass(frozen=True)
class Difference:
    """Events, or totals, that are not what they must be.

    Attributes:
        what: In words, for example ``in bronze, not in silver``.
        count: How many.
        events: The first of them: topic, event id, and where.
    """

    what: str
    count: int
    events: tuple[str, ...] = ()

    def __str__(self) -> str:
        shown = ", ".join(self.events[:_TOLD])
        more = f" and {self.count - _TOLD} more" if self.count > _TOLD else ""
        return f"{self.count} {self.what}{f': {shown}{more}' if shown else ''}"


@dataclass(frozen=True)
class Total:
    """A total that somebody reads beside what it must be.

    Attributes:
        span: Hour or day of event time, as ``2026-11-24T10`` or ``2026-11-24``.
        expected: Distinct events that bronze holds and that were not refused.
        low: The total when the audit began.
        high: The total when it ended; the same where nothing arrived meanwhile.
        suspects: Ids of events of the span that came more than once, where the total is wrong.
    """

    span: str
    expected: int
    low: int
    high: int
    suspects: tuple[str, ...] = ()

    @property
    def gap(self) -> int:
        """How far the total is off; 0 when it is right."""
        return max(self.low - self.expected, 0) or min(self.high - self.expected, 0)


@dataclass
class AuditReport:
    """A whole audit.

    Attributes:
        run: Its name.
        started_at: When it began.
        finished_at: When it ended.
        days: Days of event time that it looked at.
        counts: Records and distinct event ids by place.
        differences: What is wrong with single events.
        gold: Totals of the gold tables by day.
        live: Totals behind the alias ``metrics`` by hour.
        pending: Days of which gold is not recomputed yet, so that it is not compared.
    """

    run: str
    started_at: str
    finished_at: str
    days: list[str]
    counts: dict[str, int]
    differences: list[Difference] = field(default_factory=list)
    gold: list[Total] = field(default_factory=list)
    live: list[Total] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)

    @property
    def findings(self) -> list[Difference]:
        """All that is wrong: single events first, then totals."""
        wrong = [("gold of", total) for total in self.gold if total.gap]
        wrong += [("live total of", total) for total in self.live if total.gap]
        totals = [
            Difference(f"{where} {total.span} (must be {total.expected}, is {total.high})", total.gap, total.suspects)
            for where, total in wrong
        ]
        return [*self.differences, *totals]

    @property
    def status(self) -> str:
        """``ok`` or ``failed``."""
        return "failed" if self.findings else "ok"

    def as_json(self) -> dict[str, Any]:
        """For files and programs."""
        return {**asdict(self), "status": self.status, "findings": [str(one) for one in self.findings]}

    def keep(self, settings: Settings) -> Path:
        """Store it; returns where."""
        path = audits_dir(settings) / f"{self.run}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps(self.as_json(), indent=1), encoding="utf-8")
        draft.replace(path)
        return path

    def health_record(self) -> "HealthRecord":
        """For ``pipeline-health``."""
        from include.serving.pipeline_health import HealthRecord

        return HealthRecord(
            time=datetime.fromisoformat(self.finished_at),
            kind="audit",
            subject="events",
            status=self.status,
            reason="; ".join(str(one) for one in self.findings)[:2_000] or None,
            metrics={
                **self.counts,
                "differences": sum(one.count for one in self.differences),
                "live_gap": sum(abs(total.gap) for total in self.live),
                "gold_gap": sum(abs(total.gap) for total in self.gold),
            },
            details={"days": self.days, "run": self.run, "pending": self.pending},
        )

    def alert(self, settings: Settings, path: Path) -> Alert:
        """For people: what differs, or that nothing does any longer."""
        findings = self.findings
        return Alert(
            source="audit",
            kind=Kind.AUDIT,
            severity=Severity.CRITICAL,
            subject=(
                f"Audit of {self.days[0]} to {self.days[-1]}: {len(findings)} differences"
                if findings
                else "Audit: Kafka, bronze, silver, gold and the live totals agree"
            ),
            key="audit/events",
            evidence={"report": str(path), **{f"difference {n}": str(one) for n, one in enumerate(findings[:8], 1)}},
            runbook=f"{settings.airflow_url}/dags/{DagId.AUDIT}",
            resolved=not findings,
        )


def audits_dir(settings: Settings) -> Path:
    """Where reports are."""
    return settings.platform_data_dir / "audits"


def totals(expected: Mapping[str, int], low: Mapping[str, int], high: Mapping[str, int]) -> list[Total]:
    """Totals of every span that any of the three names."""
    spans = sorted({*expected, *low, *high})
    return [Total(span, expected.get(span, 0), low.get(span, 0), high.get(span, 0)) for span in spans]


def differences_from(found: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """The differences that the Spark job wrote down."""
    return [Difference(one["what"], one["count"], tuple(one["events"])) for one in found]
