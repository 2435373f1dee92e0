"""Words that Slack and mail share."""

from datetime import datetime
from typing import Final

from include.alerting.alert import Severity
from include.alerting.deliveries import Delivery
from include.alerting.incidents import Event, Incident

_MARKS: Final = {Severity.INFO: "🔵", Severity.WARNING: "🟠", Severity.CRITICAL: "🔴"}


def mark(event: Event, incident: Incident) -> str:
    """One sign that is understood at a glance."""
    if event is Event.RESOLVED:
        return "🟢"
    return "👀" if event is Event.ACKNOWLEDGED else _MARKS[incident.severity]


def status(delivery: Delivery) -> str:
    """What happened, in a few words."""
    incident = delivery.incident
    match delivery.event:
        case Event.RAISED:
            return incident.severity.value.capitalize()
        case Event.REPEATED:
            return f"Still {incident.severity.value}, seen {incident.occurrences} times"
        case Event.ESCALATED:
            return f"Unacknowledged since {moment(incident.first_at)}"
        case Event.ACKNOWLEDGED:
            return f"Acknowledged by {incident.acknowledged_by}"
        case Event.RESOLVED:
            return f"Resolved after {_span(incident)}"


def moment(time: datetime) -> str:
    """A time for people; always UTC, since receivers sit in several time zones."""
    return f"{time:%d %b %H:%M:%S} UTC"


def _span(incident: Incident) -> str:
    seconds = int(((incident.resolved_at or incident.last_at) - incident.first_at).total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h {seconds % 3600 // 60} min"


def headline(delivery: Delivery) -> str:
    """The line that a phone shows when it is locked."""
    return f"{mark(delivery.event, delivery.incident)} {status(delivery)}: {delivery.incident.alert.subject}"


def latest_of_each(deliveries: list[Delivery]) -> list[Delivery]:
    """One delivery for each incident: its last, which says all that the earlier ones would."""
    return list({delivery.incident.incident: delivery for delivery in deliveries}.values())
