"""The queue of messages: what is to be said of which incident to whom; in the store, so that it outlasts a crash."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from include.alerting.incidents import Event, Incident, incident_of


@dataclass(frozen=True)
class Delivery:
    """One thing to say.

    Attributes:
        place: Its number in the queue.
        attempts: How often it was tried before.
        made_at: When it was queued, in seconds since 1970.
    """

    place: int
    event: Event
    incident: Incident
    attempts: int
    made_at: float


def queue(
    database: sqlite3.Connection, incident: str, event: Event, destinations: Iterable[str], due: datetime
) -> None:
    """Queue one message for each destination."""
    database.executemany(
        "INSERT INTO deliveries (incident, destination, event, state, made_at, due_at) "
        "VALUES (?, ?, ?, 'waiting', ?, ?)",
        [(incident, destination, event.value, due.timestamp(), due.timestamp()) for destination in destinations],
    )


def waiting(database: sqlite3.Connection, destination: str, now: datetime, most: int) -> list[Delivery]:
    """What a destination is to be told now, oldest first.

    Nothing when the first of the queue must wait: later messages do not overtake it.
    """
    rows = database.execute(
        "SELECT i.*, d.place, d.event, d.attempts, d.made_at, d.due_at FROM deliveries d JOIN incidents i "
        "USING (incident) WHERE d.destination = ? AND d.state = 'waiting' ORDER BY d.place LIMIT ?",
        (destination, most),
    ).fetchall()
    due: list[Delivery] = []
    for row in rows:
        if row["due_at"] > now.timestamp():
            break
        due.append(Delivery(row["place"], Event(row["event"]), incident_of(row), row["attempts"], row["made_at"]))
    return due


def told(database: sqlite3.Connection, incident: str) -> list[str]:
    """Destinations that were told, or will be told, that an incident began."""
    rows = database.execute(
        "SELECT DISTINCT destination FROM deliveries WHERE incident = ? AND event IN ('raised', 'escalated') "
        "AND state IN ('waiting', 'sent') ORDER BY destination",
        (incident,),
    )
    return [row["destination"] for row in rows]


def thread_of(database: sqlite3.Connection, incident: str, destination: str) -> str | None:
    """The Slack thread of an incident, once its first message is out."""
    row = database.execute(
        "SELECT thread FROM deliveries WHERE incident = ? AND destination = ? AND thread IS NOT NULL "
        "ORDER BY place LIMIT 1",
        (incident, destination),
    ).fetchone()
    return str(row["thread"]) if row else None


def mark_sent(database: sqlite3.Connection, sent: Sequence[Delivery], now: datetime, thread: str | None) -> None:
    """These went out in one message."""
    _mark(database, sent, "state = 'sent', error = NULL, sent_at = ?, thread = ?", (now.timestamp(), thread))


def mark_failed(database: sqlite3.Connection, failed: Sequence[Delivery], error: str) -> None:
    """These are given up."""
    _mark(database, failed, "state = 'failed', error = ?", (error,))


def mark_delayed(database: sqlite3.Connection, delayed: Sequence[Delivery], until: datetime, error: str) -> None:
    """These are to be tried again."""
    _mark(database, delayed, "attempts = attempts + 1, due_at = ?, error = ?", (until.timestamp(), error))


def _mark(
    database: sqlite3.Connection, deliveries: Sequence[Delivery], change: str, values: tuple[object, ...]
) -> None:
    database.executemany(
        f"UPDATE deliveries SET {change} WHERE place = ?",  # noqa: S608 - the three texts above
        [(*values, delivery.place) for delivery in deliveries],
    )
    database.executemany(
        "UPDATE incidents SET version = version + 1 WHERE incident = ?",
        sorted({(delivery.incident.incident,) for delivery in deliveries}),
    )


def summary_of(database: sqlite3.Connection, incident: str) -> list[dict[str, object]]:
    """All that was said of an incident and how it went, for the search store."""
    rows = database.execute(
        "SELECT destination, event, state, attempts, error, sent_at FROM deliveries WHERE incident = ? ORDER BY place",
        (incident,),
    )
    return [dict(row) for row in rows]
