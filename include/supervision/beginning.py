"""Beginning a stateful query anew at the offsets that it has reached, where its checkpoint cannot be used any more.

The new checkpoint holds one micro-batch that was planned and never done: the records before the border from which the
query must know something. It fills the state and is written nowhere. The next micro-batch begins at the border, so that
nothing is left out and nothing is counted twice.
"""

import json
import logging
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from elasticsearch.helpers import bulk

from include.config import Settings
from include.errors import ConfigurationError
from include.fraud.rules import load_rules
from include.handover.checkpoint import Offsets, end_offsets_of, query_id_of
from include.handover.live_segments import LiveSegments
from include.handover.segments import ledger_path, with_int_keys, write_atomically
from include.messaging.topics import offsets_at
from include.names import Query
from include.serving.client import connect, reachable
from include.serving.scan import documents_of
from include.supervision.lease import Lease, lease_path

logger = logging.getLogger(__name__)

# Taken from the configuration when a checkpoint is made, and from the checkpoint ever after.
FROZEN: Final = ("spark.sql.shuffle.partitions", "spark.sql.streaming.stateStore.providerClass")
# The micro-batch that only fills the state.
WARM_UP: Final = 0

_FILE: Final = "beginning.json"
_CLOCK_SECONDS: Final = 60
# An event may claim to be of a time so much after its arrival.
_FUTURE_SECONDS: Final = 600
_OPEN_MINUTES_SECONDS: Final = 3600


@dataclass(frozen=True)
class Beginning:
    """How a query began anew.

    Attributes:
        query_id: Spark's id of it.
        before: The id of the query that it goes on from.
        border: Per topic and partition, the first offset that the query before did not do.
        warm_up_from: From which offsets the state is made.
        batches_before: Where its micro-batches are counted on from.
    """

    query_id: str
    before: str
    border: Offsets
    warm_up_from: Offsets
    batches_before: int


def beginning_of(checkpoint: Path) -> Beginning | None:
    """How the query of a checkpoint began anew; None when it began by itself."""
    try:
        found = json.loads((checkpoint / _FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    offsets = {name: with_int_keys(found[name]) for name in ("border", "warm_up_from")}
    return Beginning(**{**found, **offsets})


def last_done(checkpoint: Path) -> int:
    """Number of the last micro-batch that was done; -1 when there is none."""
    return max((int(path.name) for path in (checkpoint / "commits").glob("[0-9]*")), default=-1)


def planned(checkpoint: Path, batch_id: int) -> dict[str, Any]:
    """What Spark noted when it planned a micro-batch: its time and the frozen settings."""
    lines = (checkpoint / "offsets" / str(batch_id)).read_text(encoding="utf-8").splitlines()
    found: dict[str, Any] = json.loads(lines[1])
    return found


def begin_anew(settings: Settings, query: Query) -> Beginning:
    """Replace a query's checkpoint by one that goes on exactly where it stands; the old one is kept beside it.

    It may be called again after a crash.

    Raises:
        ConfigurationError: If the query has no state, or has done no micro-batch yet.
        LeaseError: If a driver runs it.
        PartUnavailableError: If Kafka or Elasticsearch does not answer.
    """
    checkpoint = Path(settings.checkpoint_path(query))
    seconds = _seconds_of_state(settings, query)
    if last_done(checkpoint) < 0:
        raise ConfigurationError(f"{query} has done no micro-batch in {checkpoint}: there is nothing to go on from")
    lease = Lease(lease_path(settings, query))
    lease.acquire()
    try:
        batch_id = last_done(checkpoint)
        begun = _begin(settings, query, checkpoint, batch_id, seconds)
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        checkpoint.rename(checkpoint.with_name(f"{query.value}.before-{stamp}"))
        _fresh(checkpoint).rename(checkpoint)
    finally:
        lease.release()
    logger.info("query=%s begins_anew=%s after=%s batch=%s", query, begun.query_id, begun.before, batch_id)
    return begun


def _seconds_of_state(settings: Settings, query: Query) -> int:
    """How far back in arrival what a query knows reaches."""
    patterns = load_rules(settings.fraud_rules_file).patterns
    known = {
        Query.LIVE_METRICS: settings.dedup_window_seconds,
        Query.LIVE_ACTIVITY: _OPEN_MINUTES_SECONDS + _FUTURE_SECONDS,
        Query.FRAUD_PATTERNS: (patterns.window_minutes + patterns.late_minutes) * 60 + _FUTURE_SECONDS,
    }
    if query not in known:
        raise ConfigurationError(f"{query} keeps no state in its checkpoint: only {', '.join(known)} can begin anew")
    return known[query] + _CLOCK_SECONDS


def _fresh(checkpoint: Path) -> Path:
    return checkpoint.with_name(f"{checkpoint.name}.fresh")


def _begin(settings: Settings, query: Query, checkpoint: Path, batch_id: int, seconds: int) -> Beginning:
    before, border = query_id_of(checkpoint), end_offsets_of(checkpoint, batch_id)
    begun = beginning_of(_fresh(checkpoint))
    if begun is None or begun.before != before:
        plan = planned(checkpoint, batch_id)
        earlier = beginning_of(checkpoint)
        begun = Beginning(
            query_id=str(uuid.uuid4()),
            before=before,
            border=border,
            # Whatever lies behind the border arrived after the micro-batch before it was planned.
            warm_up_from=offsets_at(settings, border, plan["batchTimestampMs"] / 1000 - seconds),
            batches_before=batch_id + 1 + (earlier.batches_before if earlier else 0),
        )
        _write(_fresh(checkpoint), begun, plan)
    if query is Query.LIVE_METRICS:
        segments = LiveSegments(ledger_path(settings), checkpoint)
        index = segments.begin_anew(begun.query_id, before, batch_id, WARM_UP + 1)
        _delete_undone(settings, index, before, batch_id)
    return begun


def _write(folder: Path, begun: Beginning, plan: dict[str, Any]) -> None:
    settings = {name: value for name, value in plan["conf"].items() if name not in FROZEN}
    first = {**plan, "batchWatermarkMs": 0, "conf": settings}
    write_atomically(folder / "metadata", json.dumps({"id": begun.query_id}))
    write_atomically(folder / "offsets" / str(WARM_UP), f"v1\n{json.dumps(first)}\n{json.dumps(begun.border)}")
    # Spark's format: a zero byte comes first.
    write_atomically(folder / "sources" / "0" / "0", f"\0v1\n{json.dumps(begun.warm_up_from)}")
    # Last, as it says that all is there.
    write_atomically(folder / _FILE, json.dumps(asdict(begun)))


def _delete_undone(settings: Settings, index: str, query_id: str, batch_id: int) -> None:
    """Delete what a micro-batch wrote that was cut off: its events are counted again, under another id."""
    undone = {"bool": {"filter": [{"term": {"query_id": query_id}}, {"range": {"batch_id": {"gt": batch_id}}}]}}
    with reachable(settings), connect(settings, timeout_seconds=60) as client:
        if not client.indices.exists(index=index):
            return
        client.indices.refresh(index=index)
        found = documents_of(client, index, undone)
        bulk(client, ({"_op_type": "delete", "_index": index, "_id": document.id} for document in found))
