"""What the platform says of itself: one document for each observation, in the alias ``pipeline-health``."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from elasticsearch import Elasticsearch

from include.names import Alias


@dataclass(frozen=True)
class HealthRecord:
    """One observation.

    Attributes:
        time: When it was made, with its time zone.
        kind: What was observed, for example ``stream``, ``process``, ``table``, ``handover``.
        subject: Of what kind which one, for example the name of a query.
        status: ``ok``, ``degraded``, ``failed`` or ``unknown``.
        reason: Why it is not ok, in words; None when it is.
        metrics: Numbers that are charted and aggregated; names of letters, digits and underscores.
        details: What else is worth keeping; shown, not searched.
        document_id: Under which it is stored once, however often it is sent; None for one of its own each time.
    """

    time: datetime
    kind: str
    subject: str
    status: str
    reason: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    document_id: str | None = None

    def document(self) -> dict[str, Any]:
        """The record as it is stored, without the time of indexing."""
        return {
            "time": self.time.astimezone(UTC).isoformat(timespec="milliseconds"),
            "kind": self.kind,
            "subject": self.subject,
            "status": self.status,
            "reason": self.reason,
            # A dot would make an object of the name's first half, and clash with a number of that name.
            "metrics": {name.replace(".", "_"): float(value) for name, value in self.metrics.items()},
            "details": dict(self.details),
        }


def publish(client: Elasticsearch, records: Iterable[HealthRecord]) -> int:
    """Store records in one request.

    Returns:
        How many were stored.

    Raises:
        elastic_transport.TransportError: If Elasticsearch does not answer; whoever observes decides whether to wait.
        elasticsearch.helpers.BulkIndexError: If it refuses a record; nothing is dropped unseen.
    """
    # The helpers need a moment to import, and only those who publish need them.
    from elasticsearch.helpers import bulk

    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    actions = [
        {
            "_index": Alias.PIPELINE_HEALTH.value,
            **({"_id": record.document_id} if record.document_id else {}),
            **record.document(),
            "indexed_at": now,
        }
        for record in records
    ]
    stored, _ = bulk(client, actions)
    return int(stored)
