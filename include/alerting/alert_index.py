"""Incidents in the search store: alias ``alerts``, one document for each incident, with the state of its messages."""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from include.alerting.deliveries import summary_of
from include.alerting.incidents import Incident
from include.names import Alias

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch


def _stamp(time: datetime | None) -> str | None:
    return time.astimezone(UTC).isoformat(timespec="milliseconds") if time else None


def _delivery_state(incident: Incident, deliveries: Sequence[dict[str, Any]]) -> str:
    if not deliveries:
        return "muted" if incident.muted else "not routed"
    states = {delivery["state"] for delivery in deliveries}
    return next(state for state in ("waiting", "failed", "sent") if state in states)


def document(database: sqlite3.Connection, incident: Incident) -> dict[str, Any]:
    """The document of an incident, as ``include/serving/index_templates/alerts.json`` maps it."""
    alert = incident.alert
    deliveries: list[dict[str, Any]] = summary_of(database, incident.incident)
    sent = [delivery["sent_at"] for delivery in deliveries if delivery["sent_at"] is not None]
    now = datetime.now(UTC)
    return {
        "alert_id": alert.alert_id,
        "dedup_key": incident.key,
        "source": alert.source,
        "kind": alert.kind.value,
        "severity": incident.severity.value,
        "subject": alert.subject,
        "evidence": alert.evidence,
        "links": [link.model_dump() for link in alert.links],
        "runbook": alert.runbook,
        "state": incident.state.value,
        "occurrences": incident.occurrences,
        "incident": incident.incident,
        "delivery": {"messages": deliveries},
        "delivery_state": _delivery_state(incident, deliveries),
        "acknowledged_by": incident.acknowledged_by,
        "acknowledged_at": _stamp(incident.acknowledged_at),
        "time": _stamp(alert.time),
        "first_at": _stamp(incident.first_at),
        "last_at": _stamp(incident.last_at),
        "resolved_at": _stamp(incident.resolved_at),
        "delivered_at": _stamp(datetime.fromtimestamp(min(sent), UTC)) if sent else None,
        "updated_at": _stamp(now),
        "indexed_at": _stamp(now),
    }


def publish(client: "Elasticsearch", documents: Sequence[tuple[Incident, dict[str, Any]]]) -> None:
    """Store documents in one request. An older version never replaces a newer one.

    Raises:
        elastic_transport.TransportError: If Elasticsearch does not answer.
        elasticsearch.helpers.BulkIndexError: If it refuses a document.
    """
    from elasticsearch.helpers import bulk

    bulk(
        client,
        [
            {
                "_index": Alias.ALERTS.value,
                "_id": incident.incident,
                "version": incident.version,
                "version_type": "external_gte",
                "_source": body,
            }
            for incident, body in documents
        ],
    )
