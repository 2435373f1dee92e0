"""When what is seen of the platform needs a person: with patience, once for each trouble, and once when it is over."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from include.alerting.alert import Alert, Kind, Severity
from include.config import Settings
from include.serving.pipeline_health import HealthRecord

_SEVERITY: Final = {"degraded": Severity.WARNING, "failed": Severity.CRITICAL}
# While a trouble lasts it is said again now and then, so that its incident shows that it goes on.
_AGAIN_SECONDS: Final = 600.0


@dataclass(frozen=True)
class _Rule:
    """How records of one kind become alerts.

    Attributes:
        kind: The alerts' kind.
        patience_seconds: How long a trouble must last; a part that restarts by itself needs nobody.
        subject: What the alert says; ``{subject}`` and ``{reason}`` are the record's.
    """

    kind: Kind
    patience_seconds: float
    subject: str


_RULES: Final = {
    "machine": _Rule(Kind.RESOURCES, 0, "{reason}"),
    "process": _Rule(Kind.RESOURCES, 180, "Part {subject} is not healthy: {reason}"),
    "freshness": _Rule(Kind.FRESHNESS, 120, "{reason}"),
    "deadline": _Rule(Kind.DEADLINE, 0, "{reason}"),
}
# A part that was stopped on purpose is no trouble.
_ON_PURPOSE: Final = ("not started", "stopped")


class Alarms:
    """Turns observations into alerts; it remembers what it said, and is used by one thread.

    After a restart it says once of everything in order that it is, which ends incidents of the time before; where
    there is no incident, the dispatcher drops it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._since: dict[str, float] = {}
        self._said: dict[str, tuple[str, float]] = {}
        self._fine: set[str] = set()

    def judge(self, records: Iterable[HealthRecord], clock: float) -> list[Alert]:
        """The alerts that follow from a look.

        Args:
            records: What was seen; what is not among them stays as it was.
            clock: Seconds that only grow.
        """
        found = (self._judge(record, rule, clock) for record in records if (rule := _RULES.get(record.kind)))
        return [alert for alert in found if alert is not None]

    def _judge(self, record: HealthRecord, rule: _Rule, clock: float) -> Alert | None:
        key = f"monitoring/{record.kind}/{record.subject}"
        if record.status not in _SEVERITY or (record.reason or "").startswith(_ON_PURPOSE):
            return self._over(key, record, rule) if record.status != "unknown" else None
        self._fine.discard(key)
        if clock - self._since.setdefault(key, clock) < rule.patience_seconds:
            return None
        status, at = self._said.get(key, ("", 0.0))
        if status == record.status and clock - at < _AGAIN_SECONDS:
            return None
        self._said[key] = (record.status, clock)
        text = rule.subject.format(subject=record.subject, reason=(record.reason or record.status).splitlines()[0])
        return self._alert(key, record, rule, _SEVERITY[record.status], text, resolved=False)

    def _over(self, key: str, record: HealthRecord, rule: _Rule) -> Alert | None:
        self._since.pop(key, None)
        self._said.pop(key, None)
        if key in self._fine:
            return None
        self._fine.add(key)
        text = f"{record.kind} {record.subject} is in order"
        return self._alert(key, record, rule, Severity.INFO, text, resolved=True)

    def _alert(
        self, key: str, record: HealthRecord, rule: _Rule, severity: Severity, text: str, *, resolved: bool
    ) -> Alert:
        return Alert(
            source="monitoring",
            kind=rule.kind,
            severity=severity,
            subject=text[0].upper() + text[1:],
            key=key,
            evidence={name: f"{value:g}" for name, value in record.metrics.items()},
            runbook=f"{self._settings.airflow_url}/plugin/platform",
            time=record.time,
            resolved=resolved,
        )
