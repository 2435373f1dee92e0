"""How far behind each stream, index and table is: what arrived before a moment is in it, and which moment that is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from include.config import Settings
from include.handover.checkpoint import Offsets
from include.names import Alias, Query, Table
from include.orchestration.delta_log import last_commit
from include.supervision.heartbeat import as_time, read_heartbeat
from include.supervision.shares import queries_of

# Which stream fills what; an index or table is as complete as the last of its streams.
_FED: Final[Mapping[Alias | Table, tuple[Query, ...]]] = {
    Alias.METRICS: (Query.LIVE_METRICS, Query.LIVE_ACTIVITY),
    Alias.EVENTS: (Query.LIVE_EVENTS, Query.LIVE_USER_EVENTS),
    Alias.INVENTORY: (Query.LIVE_INVENTORY,),
    Alias.FRAUD_ALERTS: (Query.FRAUD_INSTANT, Query.FRAUD_PATTERNS),
    Table.BRONZE_EVENTS: (Query.BRONZE_ARCHIVE,),
    Table.BRONZE_REJECTED: (Query.DEAD_LETTERS,),
}


@dataclass(frozen=True)
class Age:
    """How far behind one thing is.

    Attributes:
        kind: ``stream``, ``index`` or ``table``.
        subject: Which.
        complete_up_to: Everything that reached Kafka before is in it; None when it never had anything.
        age_seconds: How long that is ago; 0 when nothing waits.
        limit_seconds: How long it may be.
        newest: Time of the newest thing in it, where that is known.
        offsets: Kafka's offsets up to which it has read, where it reads Kafka.
    """

    kind: str
    subject: str
    complete_up_to: datetime | None
    age_seconds: float
    limit_seconds: float
    newest: datetime | None = None
    offsets: Offsets = field(default_factory=dict)

    @property
    def is_late(self) -> bool:
        """Whether it is further behind than it may be."""
        return self.age_seconds > self.limit_seconds

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "kind": self.kind,
            "subject": self.subject,
            "late": self.is_late,
            "complete_up_to": self.complete_up_to.isoformat() if self.complete_up_to else None,
            "age_seconds": round(self.age_seconds, 1),
            "limit_seconds": self.limit_seconds,
            "newest": self.newest.isoformat() if self.newest else None,
            "offsets": self.offsets,
        }


def ages(settings: Settings, broker: Offsets, newest: Mapping[str, datetime], now: datetime) -> list[Age]:
    """The age of every stream that is on, of what these fill, and of the batch layer's tables.

    Args:
        settings: Say which streams are on, and how far behind each layer may be.
        broker: Kafka's end offsets.
        newest: Time of the newest document, by alias.
        now: The present.
    """
    streams = {query: age for query in queries_of(settings) if (age := _of_stream(settings, query, broker, now))}
    return [*streams.values(), *_fed(settings, streams, newest), *_of_batch(settings, now)]


def _of_stream(settings: Settings, query: Query, broker: Offsets, now: datetime) -> Age | None:
    beat = read_heartbeat(settings, query)
    if beat is None:
        return None
    complete = as_time(beat.offsets_moved_at) if beat.lag(broker) else now
    return Age(
        kind="stream",
        subject=query.value,
        complete_up_to=complete,
        age_seconds=max(0.0, (now - complete).total_seconds()),
        # Some tell their progress at checkpoints only; until then nobody knows better.
        limit_seconds=settings.freshness_live_seconds + beat.quiet_seconds,
        newest=as_time(beat.offsets_moved_at),
        offsets=beat.end_offsets,
    )


def _fed(settings: Settings, streams: Mapping[Query, Age], newest: Mapping[str, datetime]) -> Iterator[Age]:
    for target, queries in _FED.items():
        feeding = [streams[query] for query in queries if query in streams]
        if not feeding:
            continue
        last = max(feeding, key=lambda age: age.age_seconds - age.limit_seconds)
        is_table = isinstance(target, Table)
        yield Age(
            kind="table" if is_table else "index",
            subject=target.value,
            complete_up_to=last.complete_up_to,
            age_seconds=last.age_seconds,
            limit_seconds=last.limit_seconds,
            newest=_committed(settings, target) if isinstance(target, Table) else newest.get(target.value),
            offsets=last.offsets,
        )


def _of_batch(settings: Settings, now: datetime) -> Iterator[Age]:
    """Silver and gold: as complete as the batch layer's last run, unless nothing came since."""
    done, archived = _committed(settings, Table.BATCH_PROGRESS), _committed(settings, Table.BRONZE_EVENTS)
    if archived is None:
        return
    complete = now if done is not None and archived <= done else done
    waits = (now - (complete or archived - timedelta(seconds=1))).total_seconds()
    for table in Table:
        newest = _committed(settings, table)
        if table.value.startswith(("silver.", "gold.")) and newest is not None:
            yield Age("table", table.value, complete, max(0.0, waits), settings.freshness_batch_seconds, newest)


def _committed(settings: Settings, table: Table) -> datetime | None:
    at = last_commit(settings.table_path(table)).get("committed_at")
    return None if at is None else datetime.fromisoformat(str(at)).astimezone(UTC)
