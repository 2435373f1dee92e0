"""Incidents: what alerts of one key add up to, from the first alert to the resolved message."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import uuid4

from include.alerting.alert import Alert, Severity


class State(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Event(StrEnum):
    """What a message says of an incident."""

    RAISED = "raised"
    REPEATED = "repeated"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


# SQLite allows 32,766 parameters; pages and commands show far fewer incidents.
MOST_LISTED: Final = 500


@dataclass(frozen=True)
class Incident:
    """All alerts of one key since it was last in order.

    Attributes:
        incident: Its id.
        alert: The newest alert.
        severity: The worst severity of its alerts.
        occurrences: How many alerts it has.
        muted: Whether it began in a maintenance window, so that nobody was told.
        told_at: When a message about it was last queued.
        version: Grows with each change.
    """

    incident: str
    key: str
    state: State
    severity: Severity
    alert: Alert
    occurrences: int
    muted: bool
    first_at: datetime
    last_at: datetime
    told_at: datetime | None
    escalated_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    version: int


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def incident_of(row: sqlite3.Row) -> Incident:
    """An incident from its row."""
    return Incident(
        incident=row["incident"],
        key=row["key"],
        state=State(row["state"]),
        severity=Severity(row["severity"]),
        alert=Alert.model_validate_json(row["body"]),
        occurrences=row["occurrences"],
        muted=bool(row["muted"]),
        first_at=datetime.fromtimestamp(row["first_at"], UTC),
        last_at=datetime.fromtimestamp(row["last_at"], UTC),
        told_at=_time(row["told_at"]),
        escalated_at=_time(row["escalated_at"]),
        acknowledged_at=_time(row["acknowledged_at"]),
        acknowledged_by=row["acknowledged_by"],
        resolved_at=_time(row["resolved_at"]),
        version=row["version"],
    )


def open_with_key(database: sqlite3.Connection, key: str) -> Incident | None:
    """The incident of a key that is not resolved."""
    row = database.execute("SELECT * FROM incidents WHERE key = ? AND state <> 'resolved'", (key,)).fetchone()
    return incident_of(row) if row else None


def with_id(database: sqlite3.Connection, incident: str) -> Incident | None:
    """The incident of an id; its first letters do when they are unique."""
    rows = database.execute("SELECT * FROM incidents WHERE incident LIKE ? || '%' LIMIT 2", (incident,)).fetchall()
    return incident_of(rows[0]) if len(rows) == 1 else None


def listed(database: sqlite3.Connection, *, resolved: bool = False, most: int = MOST_LISTED) -> list[Incident]:
    """Incidents, the worst and newest first.

    Args:
        database: The store.
        resolved: Whether to include those that are over.
        most: How many at most.
    """
    rows = database.execute(
        "SELECT * FROM incidents WHERE ? OR state <> 'resolved' ORDER BY state = 'resolved', "
        "CASE severity WHEN 'critical' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, last_at DESC LIMIT ?",
        (resolved, most),
    )
    return [incident_of(row) for row in rows]


def begun(database: sqlite3.Connection, alert: Alert, *, muted: bool) -> Incident:
    """A new incident."""
    incident = uuid4().hex
    time = alert.time.timestamp()
    database.execute(
        "INSERT INTO incidents (incident, key, state, severity, body, occurrences, muted, first_at, last_at, version) "
        "VALUES (?, ?, 'open', ?, ?, 1, ?, ?, ?, 1)",
        (incident, alert.key, alert.severity.value, alert.model_dump_json(), muted, time, time),
    )
    return changed(database, incident)


def continued(database: sqlite3.Connection, before: Incident, alert: Alert) -> Incident:
    """An incident with one more alert; it keeps its worst severity."""
    worst = max(before.severity, alert.severity, key=lambda severity: severity.rank)
    return changed(
        database,
        before.incident,
        severity=worst.value,
        body=alert.model_dump_json(),
        occurrences=before.occurrences + 1,
        last_at=max(before.last_at, alert.time).timestamp(),
    )


def acknowledged(database: sqlite3.Connection, before: Incident, by: str, now: datetime) -> Incident:
    """An incident that somebody takes care of: no repetitions, no escalation. Only the first one is kept."""
    if before.state is not State.OPEN:
        return before
    return changed(database, before.incident, state="acknowledged", acknowledged_by=by, acknowledged_at=now.timestamp())


def resolved(database: sqlite3.Connection, before: Incident, alert: Alert) -> Incident:
    """An incident that is over."""
    return changed(
        database, before.incident, state="resolved", body=alert.model_dump_json(), resolved_at=alert.time.timestamp()
    )


def changed(database: sqlite3.Connection, incident: str, **columns: Any) -> Incident:
    """Write columns of an incident, and give it back as it is then."""
    names = "".join(f", {name} = ?" for name in columns)
    database.execute(
        f"UPDATE incidents SET version = version + 1{names} WHERE incident = ?",  # noqa: S608 - column names of ours
        (*columns.values(), incident),
    )
    return incident_of(database.execute("SELECT * FROM incidents WHERE incident = ?", (incident,)).fetchone())


def not_indexed(database: sqlite3.Connection, most: int) -> list[Incident]:
    """Incidents that the search store does not know in their newest version."""
    rows = database.execute("SELECT * FROM incidents WHERE indexed_version < version ORDER BY last_at LIMIT ?", (most,))
    return [incident_of(row) for row in rows]


def mark_indexed(database: sqlite3.Connection, incidents: Sequence[Incident]) -> None:
    """Remember which version the search store has."""
    database.executemany(
        "UPDATE incidents SET indexed_version = max(indexed_version, ?) WHERE incident = ?",
        [(incident.version, incident.incident) for incident in incidents],
    )
