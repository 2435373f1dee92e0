"""Is each stream healthy? Not whether a process lives, but whether offsets and watermark move while input arrives."""

import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import psutil
from elastic_transport import TransportError
from elasticsearch import ApiError, NotFoundError

from include.config import Settings
from include.errors import PartUnavailableError
from include.handover.checkpoint import Offsets
from include.local.elasticsearch import ElasticsearchNode
from include.local.supervisor import Supervisor
from include.messaging.topics import end_offsets
from include.names import Alias, Query
from include.serving.client import connect
from include.supervision.heartbeat import Heartbeat, read_heartbeat
from include.supervision.lease import Lease, lease_path
from include.supervision.shares import PARTS, Share, queries_of, share_of

_MEGABYTE: Final = 1024 * 1024


@dataclass(frozen=True)
class Bounds:
    """What is still healthy.

    Attributes:
        still_seconds: How long offsets or watermark may stand still while input waits.
        silence_seconds: How long a heartbeat may be old; an idle query writes one every ten seconds.
        start_seconds: How long a driver may take to its first progress.
        lag_seconds: How much waiting input, as time at the rate of the latest micro-batch.
        slow_seconds: How long micro-batches may keep on taking longer than their trigger.
        rejected_share: Share of the latest records that may be dead letters.
        free_disk_megabytes: What the data folder's disk must have left.
    """

    still_seconds: float = 60.0
    silence_seconds: float = 60.0
    start_seconds: float = 90.0
    lag_seconds: float = 60.0
    slow_seconds: float = 300.0
    rejected_share: float = 0.2
    free_disk_megabytes: int = 1024


@dataclass(frozen=True)
class Verdict:
    """What was found of one stream, or of one thing that all need.

    Attributes:
        subject: Name of the query, or ``elasticsearch``, ``kafka``, ``disk``.
        status: ``ok``, ``degraded`` (works, somebody should look) or ``failed``.
        reasons: Why it is not ok, each with figures; empty when it is.
        restart: Whether starting the driver again can mend it.
        metrics: The figures that were looked at.
    """

    subject: str
    status: str = "ok"
    reasons: tuple[str, ...] = ()
    restart: bool = False
    metrics: Mapping[str, float] = field(default_factory=dict)


DEFAULT_BOUNDS: Final = Bounds()
# The background gets what the urgent streams leave of the processors. On a busy machine it takes its time, in large
# micro-batches; a start would cost it more time, and mend nothing. A process that dies is started again at once anyway.
_PATIENT: Final = Bounds(still_seconds=300.0, silence_seconds=180.0, start_seconds=240.0, lag_seconds=300.0)
_BOUNDS: Final = {Share.URGENT: DEFAULT_BOUNDS, Share.BACKGROUND: _PATIENT}


def bounds_of(query: Query) -> Bounds:
    """What is still healthy for a stream."""
    return _BOUNDS[share_of(query)]


def check(settings: Settings) -> list[Verdict]:
    """Look at every stream and at what all need.

    The streams are those of the speed layer that are not switched off. Takes a few seconds at most, and raises
    nothing for what is broken.
    """
    broker, kafka = _kafka(settings)
    now = time.time()
    streams = [
        judge(query, read_heartbeat(settings, query), _is_alive(settings, query), broker, now, bounds_of(query))
        for query in queries_of(settings)
    ]
    starting = _starting(settings, now)
    # Starting a driver again that is not up yet would only delay it.
    streams = [
        replace(verdict, restart=False) if share_of(Query(verdict.subject)) in starting else verdict
        for verdict in streams
    ]
    return [*streams, kafka, _elasticsearch(settings), _disk(settings, DEFAULT_BOUNDS)]


def sick_shares(verdicts: list[Verdict]) -> frozenset[Share]:
    """The drivers that a new start can mend; none while what they need is away."""
    needs = {verdict.subject: verdict for verdict in verdicts}
    parts_are_there = all(
        needs[name].status != "failed" for name in ("kafka", "elasticsearch", "disk") if name in needs
    )
    sick = [Query(verdict.subject) for verdict in verdicts if verdict.restart]
    return frozenset(map(share_of, sick)) if parts_are_there else frozenset()


def judge(
    query: Query, beat: Heartbeat | None, is_alive: bool, broker: Offsets | None, now: float, bounds: Bounds
) -> Verdict:
    """The verdict on one stream.

    Args:
        query: Its name.
        beat: Its heartbeat; None when it never ran.
        is_alive: Whether its driver lives.
        broker: End offsets at the broker; None when they are unknown.
        now: Unix seconds.
        bounds: What is still healthy.
    """
    if not is_alive:
        why = f": {beat.ended.splitlines()[0][:300]}" if beat and beat.ended else ""
        return Verdict(query, "failed", (f"no driver runs it{why}",), restart=True)
    if beat is None or beat.ended is not None:
        return Verdict(query, "failed", ("its driver lives, but the query does not run",), restart=True)
    lag = beat.lag(broker) if broker is not None else 0
    failed, degraded = list(_failures(beat, lag, now, bounds)), list(_weaknesses(beat, lag, now, bounds))
    status = "failed" if failed else "degraded" if degraded else "ok"
    metrics = {
        "lag": float(lag),
        "silence_seconds": now - beat.updated_at,
        "batch_ms": float(beat.batch_ms),
        "rejected_share": beat.rejected_share,
        "too_late": float(beat.too_late),
    }
    return Verdict(query, status, (*failed, *degraded), restart=bool(failed), metrics=metrics)


def _failures(beat: Heartbeat, lag: int, now: float, bounds: Bounds) -> Iterator[str]:
    allowed = (bounds.silence_seconds if beat.batch_id >= 0 else bounds.start_seconds) + beat.quiet_seconds
    if now - beat.updated_at > allowed:
        yield f"no progress was told for {now - beat.updated_at:.0f} s (at most {allowed:.0f} s)"
    still = now - max(beat.offsets_moved_at, beat.started_at)
    if lag and still > bounds.still_seconds + beat.quiet_seconds:
        yield (
            f"offsets stand still for {still:.0f} s while {lag} records wait "
            f"(at most {bounds.still_seconds + beat.quiet_seconds:.0f} s)"
        )
    if beat.watermark_still_for > bounds.still_seconds:
        yield (
            f"the watermark stood still for {beat.watermark_still_for:.0f} s of input "
            f"(at most {bounds.still_seconds:.0f} s)"
        )


def _weaknesses(beat: Heartbeat, lag: int, now: float, bounds: Bounds) -> Iterator[str]:
    behind = lag / beat.rows_per_second if beat.rows_per_second else 0.0
    if behind > bounds.lag_seconds + beat.quiet_seconds:
        yield f"{lag} records wait, {behind:.0f} s of work (at most {bounds.lag_seconds:.0f} s)"
    if beat.slow_since is not None and now - beat.slow_since > bounds.slow_seconds:
        yield (
            f"micro-batches take longer than their trigger for {now - beat.slow_since:.0f} s "
            f"(the latest {beat.batch_ms} ms, trigger {beat.trigger_ms} ms)"
        )
    if beat.rejected_share > bounds.rejected_share:
        yield f"{beat.rejected_share:.0%} of the latest records are dead letters (at most {bounds.rejected_share:.0%})"


def _starting(settings: Settings, now: float) -> frozenset[Share]:
    states = Supervisor(settings).states()
    found = {share: states[part] for share, part in PARTS.items() if part in states}
    return frozenset(
        share
        for share, state in found.items()
        if state.is_running and now - state.started_at < _BOUNDS[share].start_seconds
    )


def _is_alive(settings: Settings, query: Query) -> bool:
    holder = Lease(lease_path(settings, query)).holder()
    return holder is not None and holder.is_alive()


def _kafka(settings: Settings) -> tuple[Offsets | None, Verdict]:
    # A closed port is told at once here; the client would try for ten seconds, and leave its sockets open.
    if not any(_accepts(address) for address in settings.bootstrap_servers.split(",")):
        return None, Verdict("kafka", "failed", (f"no answer at {settings.bootstrap_servers}",))
    try:
        return end_offsets(settings), Verdict("kafka")
    except PartUnavailableError as error:
        return None, Verdict("kafka", "failed", (error.reason,))


def _accepts(address: str) -> bool:
    host, _, port = address.strip().rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=3).close()
    except OSError:
        return False
    return True


def _elasticsearch(settings: Settings) -> Verdict:
    problem = ElasticsearchNode(settings).problem() or _write_block(settings)
    return Verdict("elasticsearch", "failed", (problem,)) if problem else Verdict("elasticsearch")


def _write_block(settings: Settings) -> str | None:
    """Why writes are refused; a full disk makes Elasticsearch block every index on it."""
    with connect(settings, timeout_seconds=5.0) as client:
        try:
            blocks = client.indices.get_settings(index=Alias.METRICS.value, name="index.blocks.*")
        except NotFoundError:
            return f"the alias {Alias.METRICS} is not there: python main.py init-metrics makes it"
        except (ApiError, TransportError) as error:
            return f"does not tell its settings ({error})"
    blocked = [index for index, found in blocks.items() if found["settings"]]
    return f"writes to {', '.join(sorted(blocked))} are blocked: is its disk full?" if blocked else None


def _disk(settings: Settings, bounds: Bounds) -> Verdict:
    folder = settings.platform_data_dir
    free = psutil.disk_usage(str(folder if folder.exists() else folder.parent)).free // _MEGABYTE
    metrics = {"free_megabytes": float(free)}
    if free >= bounds.free_disk_megabytes:
        return Verdict("disk", metrics=metrics)
    reason = f"{free} MB are free below {folder} (at least {bounds.free_disk_megabytes} MB are needed)"
    return Verdict("disk", "failed", (reason,), metrics=metrics)
