"""What came out of validating a table: kept as JSON in the data folder, where publication asks for it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from include.config import Settings
from include.errors import ValidationFailedError
from include.names import Table
from include.quality.suite import Severity

if TYPE_CHECKING:
    from include.serving.pipeline_health import HealthRecord


@dataclass(frozen=True)
class Failure:
    """One broken expectation.

    Attributes:
        expectation: Great Expectations' name and the columns, for example ``values_to_be_unique(event_id)``.
        severity: Whether it blocks publication.
        observed: What was found, shortened; only counts where the values are personal.
        about: Why it matters.
    """

    expectation: str
    severity: Severity
    observed: str
    about: str = ""

    def __str__(self) -> str:
        return f"{self.expectation} [{self.severity}]: {self.observed}"


@dataclass(frozen=True)
class Verdict:
    """The result for one table.

    Attributes:
        table: The table.
        checked_at: When, ISO with time zone.
        days: The partitions that were read, ISO.
        rows: Rows that were read.
        sampled: Whether these rows are a sample of the partitions.
        seconds: How long it took.
        expectations: How many were checked.
        failures: Those that do not hold.
        report: Page of the Data Docs.
    """

    table: Table
    checked_at: str
    days: tuple[str, ...]
    rows: int
    sampled: bool
    seconds: float
    expectations: int
    failures: tuple[Failure, ...]
    report: str

    def of(self, severity: Severity) -> list[Failure]:
        """The failures of one severity."""
        return [failure for failure in self.failures if failure.severity is severity]

    @property
    def status(self) -> str:
        """``ok``, ``degraded`` (warnings), ``failed`` (blocks publication) or ``unknown`` (the table has no rows)."""
        if self.of(Severity.CRITICAL):
            return "failed"
        if self.failures:
            return "degraded"
        return "ok" if self.rows else "unknown"

    def require_publishable(self) -> None:
        """Check that nothing critical failed.

        Raises:
            ValidationFailedError: With each critical failure and where the report is.
        """
        if critical := self.of(Severity.CRITICAL):
            raise ValidationFailedError(self.table, [str(failure) for failure in critical], self.report)

    def health_record(self) -> "HealthRecord":
        """The verdict for ``pipeline-health``."""
        from include.serving.pipeline_health import HealthRecord

        return HealthRecord(
            time=datetime.fromisoformat(self.checked_at),
            kind="quality",
            subject=self.table,
            status=self.status,
            reason="; ".join(str(failure) for failure in self.failures) or None,
            metrics={
                "rows": self.rows,
                "seconds": self.seconds,
                "expectations": self.expectations,
                "failed_critical": len(self.of(Severity.CRITICAL)),
                "failed_warning": len(self.of(Severity.WARNING)),
            },
            details={"days": list(self.days), "sampled": self.sampled, "report": self.report},
        )


def quality_dir(settings: Settings) -> Path:
    """Where verdicts and Data Docs are."""
    return settings.platform_data_dir / "quality"


def _path(settings: Settings, table: Table) -> Path:
    return quality_dir(settings) / "verdicts" / f"{table.value}.json"


def keep(settings: Settings, verdict: Verdict) -> None:
    """Make this the latest verdict of its table."""
    path = _path(settings, verdict.table)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(asdict(verdict), indent=2), encoding="utf-8")
    draft.replace(path)


def latest(settings: Settings, table: Table) -> Verdict | None:
    """The latest verdict of a table; None when it was never validated."""
    path = _path(settings, table)
    if not path.exists():
        return None
    body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    failures = tuple(Failure(**{**one, "severity": Severity(one["severity"])}) for one in body.pop("failures"))
    return Verdict(**{**body, "table": Table(body["table"]), "days": tuple(body["days"]), "failures": failures})


def require_publishable(settings: Settings, tables: Sequence[Table]) -> None:
    """Check the latest verdicts of these tables; one that was never validated does not block.

    Raises:
        ValidationFailedError: Of the first table with a critical failure.
    """
    for table in tables:
        if verdict := latest(settings, table):
            verdict.require_publishable()
