"""Open alerts on the page, from the dispatcher's own store: they are there when the search store is not."""

from datetime import datetime
from typing import Any, Final

from include.alerting.incidents import Incident, listed
from include.alerting.intake import acknowledge
from include.alerting.store import connection, store_path
from include.config import Settings
from include.serving.freshness import iso

_SHOWN: Final = 50


def open_alerts(settings: Settings) -> list[dict[str, Any]]:
    """The open incidents, the worst first."""
    with connection(store_path(settings), wait_seconds=1) as database:
        return [_row(incident) for incident in listed(database, most=_SHOWN)]


def take_over(settings: Settings, incident: str, by: str, now: datetime) -> dict[str, Any] | None:
    """Acknowledge an incident; None when there is none of this id."""
    with connection(store_path(settings)) as database:
        found = acknowledge(database, incident, by, now)
    return None if found is None else _row(found)


def _row(incident: Incident) -> dict[str, Any]:
    alert = incident.alert
    return {
        "incident": incident.incident,
        "state": incident.state.value,
        "severity": incident.severity.value,
        "source": alert.source,
        "kind": alert.kind.value,
        "subject": alert.subject,
        "evidence": alert.evidence,
        "links": [link.model_dump() for link in alert.links],
        "runbook": alert.runbook,
        "occurrences": incident.occurrences,
        "first_at": iso(incident.first_at),
        "last_at": iso(incident.last_at),
        "acknowledged_by": incident.acknowledged_by,
    }
