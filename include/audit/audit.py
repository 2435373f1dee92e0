"""An audit: every event counted once more, by nothing that the pipeline itself uses to count."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from include.alerting.outbox import Outbox
from include.audit.live import live_hours
from include.audit.report import AuditReport, Total, differences_from, totals
from include.audit.settled import wait_settled
from include.config import Settings
from include.handover.checkpoint import Offsets
from include.handover.submit import report_of
from include.messaging.topics import end_offsets
from include.names import RAW_TOPICS
from include.serving.client import connect, reachable
from include.serving.pipeline_health import publish

# Counts events of days up to offsets; returns what spark_jobs/batch/audit.py reports.
Count = Callable[[Sequence[str], Offsets], dict[str, Any]]


def last_days(count: int, now: datetime | None = None) -> list[str]:
    """The last days (ISO), today included."""
    today = (now or datetime.now(UTC)).date()
    return [(today - timedelta(days=back)).isoformat() for back in reversed(range(count))]


def by_spark(settings: Settings) -> Count:
    """Counts by the Spark job."""

    def count(days: Sequence[str], ends: Offsets) -> dict[str, Any]:
        arguments = ["--from", days[0], "--to", days[-1], "--ends", json.dumps(ends)]
        found: dict[str, Any] = report_of(settings, "audit.py", arguments)
        return found

    return count


def audit(settings: Settings, days: Sequence[str], count: Count | None = None) -> AuditReport:
    """Count, compare, store the report, and tell.

    Live totals move while they are audited, so they are read twice: all that the first reading counts lies before the
    offsets that are audited, and the second is made when all before these offsets is counted. What is right lies
    between the two; where nothing arrives, they are equal.

    Args:
        settings: The platform's settings.
        days: Days of event time, ISO, without gaps.
        count: Counts events; the Spark job by default.

    Raises:
        PartUnavailableError: If Kafka, Elasticsearch or a stream does not answer, or the job fails.
    """
    started = datetime.now(UTC)
    with reachable(settings), connect(settings, timeout_seconds=60) as client:
        low = live_hours(client, days)
        ends = {topic: offsets for topic, offsets in end_offsets(settings).items() if topic in set(RAW_TOPICS)}
        wait_settled(settings, ends)
        high = live_hours(client, days)
        found = (count or by_spark(settings))(days, ends)
        report = AuditReport(
            run=f"audit-{started:%Y%m%dT%H%M%S%f}",
            started_at=started.isoformat(timespec="milliseconds"),
            finished_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            days=list(days),
            counts=found["counts"],
            differences=differences_from(found["differences"]),
            gold=totals(found["days"], found["gold"], found["gold"]),
            live=_with_suspects(totals(found["hours"], low, high), found["repeated"]),
            pending=found["pending"],
        )
        report.gold = [total for total in report.gold if total.span not in report.pending]
        path = report.keep(settings)
        publish(client, [report.health_record()])
    Outbox(settings).put(report.alert(settings, path))
    return report


def _with_suspects(found: list[Total], repeated: dict[str, list[str]]) -> list[Total]:
    return [replace(one, suspects=tuple(repeated.get(one.span, ()))) if one.gap else one for one in found]
