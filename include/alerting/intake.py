"""From alerts to what must be said: deduplication, repetition, resolution, maintenance, escalation, acknowledgement."""

import sqlite3
from collections.abc import Collection
from datetime import datetime, timedelta

from include.alerting import incidents
from include.alerting.alert import Alert, Kind
from include.alerting.deliveries import queue, told
from include.alerting.incidents import Event, Incident, State
from include.alerting.routing import Routing


class Intake:
    """Applies the rules of a routing file to one store.

    Args:
        routing: The rules.
        available: Names of the destinations whose settings are there; nothing is queued for others.
    """

    def __init__(self, routing: Routing, available: Collection[str]) -> None:
        self._routing = routing
        self._available = available

    def take_new(self, database: sqlite3.Connection, now: datetime, most: int = 500) -> int:
        """Apply the alerts that were put since the last call, in their order.

        Returns:
            How many there were.
        """
        rows = database.execute(
            "SELECT place, body FROM incoming WHERE taken_at IS NULL ORDER BY place LIMIT ?", (most,)
        ).fetchall()
        for row in rows:
            self.take(database, Alert.model_validate_json(row["body"]), now)
        database.executemany(
            "UPDATE incoming SET taken_at = ? WHERE place = ?", [(now.timestamp(), row["place"]) for row in rows]
        )
        return len(rows)

    def take(self, database: sqlite3.Connection, alert: Alert, now: datetime) -> None:
        """Apply one alert."""
        before = incidents.open_with_key(database, alert.key)
        if alert.resolved:
            if before is not None:
                after = incidents.resolved(database, before, alert)
                queue(database, after.incident, Event.RESOLVED, told(database, after.incident), now)
            return
        muted = self._routing.is_muted(alert.key, now)
        if before is None:
            begun = incidents.begun(database, alert, muted=muted)
            if not muted:
                self._tell(database, begun, Event.RAISED, now)
            if alert.kind is Kind.REPORT:
                incidents.resolved(database, begun, alert)
            return
        after = incidents.continued(database, before, alert)
        if muted:
            return
        if before.muted or after.severity.rank > before.severity.rank:
            incidents.changed(database, after.incident, muted=False)
            self._tell(database, after, Event.RAISED, now)
        elif self._may_repeat(after, now):
            self._tell(database, after, Event.REPEATED, now)

    def _may_repeat(self, incident: Incident, now: datetime) -> bool:
        pause = timedelta(minutes=self._routing.grouping.repeat_minutes)
        return incident.state is State.OPEN and incident.told_at is not None and now - incident.told_at >= pause

    def _tell(self, database: sqlite3.Connection, incident: Incident, event: Event, now: datetime) -> None:
        receivers = [name for name in self._routing.receivers(incident.alert, now) if name in self._available]
        if not receivers:
            return
        queue(
            database,
            incident.incident,
            event,
            receivers,
            now + timedelta(seconds=self._routing.grouping.wait_seconds),
        )
        incidents.changed(database, incident.incident, told_at=now.timestamp())

    def escalate(self, database: sqlite3.Connection, now: datetime) -> None:
        """Queue what is due because nobody acknowledged; each incident escalates once."""
        rows = database.execute(
            "SELECT * FROM incidents WHERE state = 'open' AND escalated_at IS NULL AND muted = 0"
        ).fetchall()
        for row in rows:
            incident = incidents.incident_of(row)
            steps = [
                step
                for step in self._routing.escalation
                if incident.severity in step.severities
                and now - incident.first_at >= timedelta(minutes=step.after_minutes)
            ]
            receivers = {name for step in steps for name in step.to if name in self._available}
            if receivers and not self._routing.is_muted(incident.key, now):
                queue(database, incident.incident, Event.ESCALATED, sorted(receivers), now)
                incidents.changed(database, incident.incident, escalated_at=now.timestamp())


def acknowledge(database: sqlite3.Connection, incident: str, by: str, now: datetime) -> Incident | None:
    """Note that somebody takes care of an incident, and tell whoever was told of it.

    Args:
        database: The store.
        incident: The incident's id, or its first letters.
        by: Who.
        now: When.

    Returns:
        The incident; None when there is none of this id.
    """
    before = incidents.with_id(database, incident)
    if before is None or before.state is not State.OPEN:
        return before
    after = incidents.acknowledged(database, before, by, now)
    queue(database, after.incident, Event.ACKNOWLEDGED, told(database, after.incident), now)
    return after
