"""One look at how fresh everything is: noted in the error budget, told when something becomes late."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from elasticsearch import Elasticsearch

from include.alerting.alert import Alert, Kind, Severity
from include.alerting.outbox import Outbox
from include.config import Settings
from include.freshness.ages import Age, ages
from include.freshness.budget import Budget, budgets, note
from include.messaging.topics import end_offsets
from include.names import Alias
from include.serving.client import connect, reachable
from include.serving.pipeline_health import HealthRecord, publish

_WATCHED: Final = (Alias.METRICS, Alias.EVENTS, Alias.INVENTORY, Alias.FRAUD_ALERTS)


def newest_documents(client: Elasticsearch) -> dict[str, datetime]:
    """When the newest document behind each alias was indexed; an alias without documents is left out."""
    searches = []
    for alias in _WATCHED:
        sort = [{"indexed_at": {"order": "desc", "unmapped_type": "date"}}]
        fields = [{"field": "indexed_at", "format": "strict_date_time"}]
        searches += [
            {"index": alias.value, "ignore_unavailable": True},
            {"size": 1, "track_total_hits": False, "_source": False, "sort": sort, "fields": fields},
        ]
    answers = client.msearch(searches=searches)["responses"]
    return {
        alias.value: datetime.fromisoformat(hit["fields"]["indexed_at"][0])
        for alias, answer in zip(_WATCHED, answers, strict=True)
        for hit in answer.get("hits", {}).get("hits", ())
        if "indexed_at" in hit.get("fields", {})
    }


def look(settings: Settings) -> tuple[list[Age], dict[str, Budget]]:
    """Look, without noting it: ages now, and the budgets as they were noted.

    Raises:
        PartUnavailableError: If Kafka or Elasticsearch does not answer.
    """
    now = datetime.now(UTC)
    with reachable(settings), connect(settings, timeout_seconds=5) as client:
        newest = newest_documents(client)
    return ages(settings, end_offsets(settings), newest, now), budgets(settings, now)


def watch(settings: Settings) -> list[Age]:
    """Look, note it, publish it, and tell of what became late or is no longer.

    Raises:
        PartUnavailableError: If Kafka or Elasticsearch does not answer.
    """
    now = datetime.now(UTC)
    with reachable(settings), connect(settings, timeout_seconds=5) as client:
        seen = ages(settings, end_offsets(settings), newest_documents(client), now)
        changed = note(settings, seen, now)
        left = budgets(settings, now)
        publish(client, list(_records(seen, left, now)))
    for alert in alerts(settings, seen, left, changed):
        Outbox(settings).put(alert)
    return seen


def _records(seen: Sequence[Age], left: dict[str, Budget], now: datetime) -> Iterator[HealthRecord]:
    for age in seen:
        yield HealthRecord(
            time=now,
            kind="freshness",
            subject=age.subject,
            status="failed" if age.is_late else "ok",
            reason=f"{age.age_seconds:.0f} s behind, {age.limit_seconds:.0f} s allowed" if age.is_late else None,
            metrics={
                "age_seconds": age.age_seconds,
                "limit_seconds": age.limit_seconds,
                "budget_left": left[age.subject].left,
                "late_seconds": left[age.subject].late_seconds,
            },
            details=age.as_json(),
        )


def alerts(
    settings: Settings, seen: Sequence[Age], left: dict[str, Budget], changed: dict[str, bool]
) -> Iterator[Alert]:
    """One for each subject that became late, or is no longer."""
    for age in seen:
        if age.subject not in changed:
            continue
        budget = left[age.subject]
        state = "is fresh again" if not age.is_late else f"is {age.age_seconds:.0f} s behind"
        yield Alert(
            source="freshness",
            kind=Kind.FRESHNESS,
            severity=Severity.CRITICAL if budget.left < 0 else Severity.WARNING,
            subject=f"{age.kind} {age.subject} {state}, {age.limit_seconds:.0f} s are allowed",
            key=f"freshness/{age.kind}/{age.subject}",
            evidence={
                "complete up to": age.complete_up_to.isoformat() if age.complete_up_to else "nothing",
                "error budget left this month": f"{budget.left:.0%} of {budget.allowed_seconds / 60:.0f} min",
            },
            runbook=f"{settings.airflow_url}/dags/speed_layer_health",
            resolved=not age.is_late,
        )
