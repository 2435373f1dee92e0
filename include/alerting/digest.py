"""The daily summary of alerts: what was, what is still open, and what could not be delivered."""

import sqlite3
from collections import Counter
from datetime import datetime, timedelta

from include.alerting import incidents
from include.alerting.alert import Severity
from include.alerting.incidents import State
from include.alerting.routing import Routing
from include.alerting.wording import moment


def is_due(database: sqlite3.Connection, routing: Routing, destination: str, now: datetime) -> bool:
    """Whether today's summary is still to be sent to a destination."""
    local = now.astimezone(routing.timezone)
    if routing.digest_time is None or local.time() < routing.digest_time:
        return False
    row = database.execute("SELECT value FROM remembered WHERE name = ?", (f"digest {destination}",)).fetchone()
    return row is None or row["value"] < local.date().isoformat()


def remember(database: sqlite3.Connection, routing: Routing, destination: str, now: datetime) -> None:
    """Today's summary was sent to a destination."""
    database.execute(
        "INSERT OR REPLACE INTO remembered (name, value) VALUES (?, ?)",
        (f"digest {destination}", now.astimezone(routing.timezone).date().isoformat()),
    )


def summary(database: sqlite3.Connection, now: datetime) -> tuple[str, list[str]]:
    """Title and lines of the summary of the last 24 hours."""
    since = now - timedelta(hours=24)
    recent = [one for one in incidents.listed(database, resolved=True) if one.last_at >= since]
    still_open = [one for one in incidents.listed(database) if one.state is not State.RESOLVED]
    lines = []
    counts = Counter(one.severity for one in recent)
    for severity in sorted(Severity, key=lambda severity: -severity.rank):
        if counts[severity]:
            lines.append(f"{counts[severity]} {severity.value}")
    lines += [
        f"Open since {moment(one.first_at)}: {one.alert.subject}"
        + (f" (taken by {one.acknowledged_by})" if one.acknowledged_by else "")
        for one in still_open
    ]
    failed = database.execute(
        "SELECT count(*) AS count FROM deliveries WHERE state = 'failed' AND made_at >= ?", (since.timestamp(),)
    ).fetchone()["count"]
    if failed:
        lines.append(f"{failed} messages could not be delivered: see the dispatcher's log")
    return f"Alerts of the last 24 hours: {len(recent)}, open: {len(still_open)}", lines or ["Nothing happened."]
