"""What a streaming query last said of itself: one small file for each query, written by its driver at each progress."""

import json
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from include.config import Settings
from include.handover.checkpoint import Offsets
from include.handover.segments import write_atomically
from include.names import Query

# Rows flow through these without waiting for a batch; what Spark calls a batch is the time between two checkpoints.
REAL_TIME: Final = frozenset({Query.FRAUD_INSTANT})


@dataclass(frozen=True)
class Heartbeat:
    """The latest progress of a query. Times are Unix seconds.

    Attributes:
        query: Its name.
        query_id: Spark's id of it, kept in its checkpoint.
        pid: Process id of its driver.
        started_at: When this run of it began.
        updated_at: When this was written; an idle query writes every ten seconds too.
        batch_id: Number of its latest micro-batch.
        trigger_ms: Pause between starts of its micro-batches; None when it drains and ends.
        batch_ms: How long the latest micro-batch with input took.
        slow_since: Since when every micro-batch took longer than the trigger; None when the latest did not.
        end_offsets: Up to where it has read.
        offsets_moved_at: When that last changed; `started_at` before the first time.
        watermark: Its watermark; None when it has none.
        latest_event: When the latest of its events happened; None when it has no watermark.
        watermark_is_due: Whether that moved, so that the watermark has to: a replay of history moves neither.
        watermark_still_since: When input first arrived without moving a watermark that was due; None when it moved.
        watermark_still_for: For how long input has kept arriving since then, in seconds.
        input_rows: Rows read since the run began.
        rows_per_second: Rate at which the latest micro-batch was processed.
        rejected_share: Share of the latest rows that went to the dead letters; only the query that writes them knows.
        too_late: Rows left to the batch layer for being too late since the run began.
        state_rows: Rows in its state.
        state_bytes: Memory of its state.
        durations_ms: The latest micro-batch by phase.
        ended: Why it ended; None while it runs. An asked stop is an empty text.
    """

    query: str
    query_id: str
    pid: int
    started_at: float
    updated_at: float
    batch_id: int = -1
    trigger_ms: int | None = None
    batch_ms: int = 0
    slow_since: float | None = None
    end_offsets: Offsets = field(default_factory=dict)
    offsets_moved_at: float = 0.0
    watermark: float | None = None
    latest_event: float | None = None
    watermark_is_due: bool = False
    watermark_still_since: float | None = None
    watermark_still_for: float = 0.0
    input_rows: int = 0
    rows_per_second: float = 0.0
    rejected_share: float = 0.0
    too_late: int = 0
    state_rows: int = 0
    state_bytes: int = 0
    durations_ms: dict[str, int] = field(default_factory=dict)
    ended: str | None = None

    @property
    def is_real_time(self) -> bool:
        """Whether it tells its progress at checkpoints only."""
        return self.query in REAL_TIME

    @property
    def quiet_seconds(self) -> float:
        """How long it says nothing while all is well."""
        return (self.trigger_ms or 0) / 1000 if self.is_real_time else 0.0

    def lag(self, broker: Offsets) -> int:
        """Records of the topics it reads that the broker holds and it has not read."""
        return sum(
            max(0, broker.get(topic, {}).get(partition, end) - end)
            for topic, partitions in self.end_offsets.items()
            for partition, end in partitions.items()
        )


def heartbeat_path(settings: Settings, query: Query) -> Path:
    """Where a query's heartbeat is."""
    return settings.heartbeat_dir / f"{query.value}.json"


def write_heartbeat(settings: Settings, query: Query, heartbeat: Heartbeat) -> None:
    """Replace a query's heartbeat in one step."""
    write_atomically(heartbeat_path(settings, query), json.dumps(asdict(heartbeat)), durable=False)


def read_heartbeat(settings: Settings, query: Query) -> Heartbeat | None:
    """A query's heartbeat; None when it never ran."""
    try:
        found: dict[str, Any] = json.loads(heartbeat_path(settings, query).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    offsets = {topic: {int(p): end for p, end in ends.items()} for topic, ends in found["end_offsets"].items()}
    known = {entry.name for entry in fields(Heartbeat)}
    # A driver of another version may have written it.
    return Heartbeat(**{name: value for name, value in found.items() if name in known} | {"end_offsets": offsets})


def as_time(seconds: float) -> datetime:
    """Unix seconds as a time with its zone."""
    return datetime.fromtimestamp(seconds, UTC)
