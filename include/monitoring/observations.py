"""What is seen of the platform at one moment, as records for ``pipeline-health``."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psutil

from include.config import Settings
from include.handover.segments import ledger_of
from include.local.state import PartStatus
from include.messaging.topics import TopicState
from include.names import Table
from include.serving.freshness import Freshness
from include.serving.pipeline_health import HealthRecord

# Numbers that are older than this are worth somebody's attention.
STALE_SECONDS: Final = 60.0
# Above these shares of the disk and of the memory: worth attention, then urgent.
DISK_PERCENT: Final = (90.0, 97.0)
MEMORY_PERCENT: Final = (95.0, 99.0)


def of_parts(
    time: datetime, parts: Sequence[PartStatus], before: Mapping[str, float], seconds: float
) -> Iterator[HealthRecord]:
    """One record for each part: health, memory, processor.

    Args:
        time: Moment of the look.
        parts: What was seen.
        before: Processor seconds of each part at the look before.
        seconds: How long ago that was; 0 when there was none.
    """
    for part in parts:
        metrics = {"memory_mb": part.memory_mb, "uptime_seconds": part.uptime_seconds}
        # A part that started anew counts from zero again.
        used = part.cpu_seconds - before.get(part.part, part.cpu_seconds)
        if seconds and used >= 0:
            metrics["cpu_cores"] = round(used / seconds, 3)
        if part.lag is not None:
            metrics["lag"] = float(part.lag)
        status = "ok" if part.healthy else "failed"
        yield HealthRecord(time, "process", part.part, status, part.reason, metrics, {"pid": part.pid})


def of_topics(time: datetime, topics: Sequence[TopicState]) -> Iterator[HealthRecord]:
    """One record for each topic: records that the broker holds, and where its partitions end."""
    for topic in topics:
        end = sum(offsets[1] for offsets in topic.offsets.values())
        ends = {str(partition): offsets[1] for partition, offsets in topic.offsets.items()}
        metrics = {"records": float(topic.records), "end_offset": float(end)}
        yield HealthRecord(time, "topic", topic.name, "ok", None, metrics, {"end_offsets": ends})


def of_machine(time: datetime, folder: str) -> HealthRecord:
    """The machine: processor, memory, and the disk that holds the data folder."""
    return machine_record(time, psutil.disk_usage(folder), psutil.virtual_memory(), psutil.cpu_percent())


def machine_record(time: datetime, disk: Any, memory: Any, cpu_percent: float) -> HealthRecord:
    """The record of what psutil says of disk and memory."""
    metrics = {
        "cpu_percent": cpu_percent,
        "memory_available_mb": memory.available / 1e6,
        "memory_used_percent": memory.percent,
        "disk_free_mb": disk.free / 1e6,
        "disk_used_percent": disk.percent,
    }
    reasons = []
    if disk.percent >= DISK_PERCENT[0]:
        reasons.append(f"the data folder's disk is {disk.percent:.0f} % full, {disk.free / 1e9:.1f} GB are free")
    if memory.percent >= MEMORY_PERCENT[0]:
        reasons.append(f"memory is {memory.percent:.0f} % full, {memory.available / 1e9:.1f} GB are free")
    urgent = disk.percent >= DISK_PERCENT[1] or memory.percent >= MEMORY_PERCENT[1]
    status = "failed" if urgent else "degraded" if reasons else "ok"
    return HealthRecord(time, "machine", "local", status, "; ".join(reasons) or None, metrics)


def of_query(time: datetime, name: str, seconds: float) -> HealthRecord:
    """How long the platform's own question took, as a user would wait for it."""
    return HealthRecord(time, "query", name, "ok", None, {"response_ms": round(seconds * 1000, 1)})


def of_freshness(time: datetime, freshness: Freshness) -> HealthRecord:
    """How old the numbers are that anyone would read now. An idle shop's are old and complete, which is fine."""
    age = freshness.age_seconds(time)
    if age is None or freshness.complete_up_to is None:
        return HealthRecord(time, "freshness", "metrics", "unknown", "nothing was counted yet")
    behind = max(0.0, (time - freshness.complete_up_to).total_seconds())
    late = min(age, behind)
    reason = f"the numbers are {late:.0f} s behind (at most {STALE_SECONDS:.0f} s)" if late > STALE_SECONDS else None
    metrics = {"age_seconds": age, "behind_seconds": behind}
    return HealthRecord(time, "freshness", "metrics", "degraded" if reason else "ok", reason, metrics)


def of_deadlines(time: datetime, settings: Settings, watching_seconds: float) -> Iterator[HealthRecord]:
    """Whether the batch layer came by in time: its newest table, and the oldest sealed segment that still waits.

    Args:
        time: Moment of the look.
        settings: Where the tables are, and how late is late.
        watching_seconds: Since when somebody looks: a platform that was off overnight is given time to catch up.
    """
    log = Path(settings.table_path(Table.GOLD_METRICS_HOURLY)) / "_delta_log"
    if log.is_dir():
        written = max(path.stat().st_mtime for path in log.iterdir())
        late = min(time.timestamp() - written, watching_seconds)
        yield _deadline(time, settings, Table.GOLD_METRICS_HOURLY.value, "was last recomputed", late)
    waiting = [
        datetime.fromisoformat(segment.sealed_at) for segment in ledger_of(settings).sealed() if segment.sealed_at
    ]
    late = min((time - min(waiting)).total_seconds(), watching_seconds) if waiting else 0.0
    yield _deadline(time, settings, "handover", "left its oldest segment waiting", late)


def _deadline(time: datetime, settings: Settings, subject: str, verb: str, late: float) -> HealthRecord:
    due = settings.batch_deadline_minutes
    reason = f"{subject} {verb} {late / 60:.0f} min ago (due every {due} min)" if late > due * 60 else None
    return HealthRecord(
        time, "deadline", subject, "degraded" if reason else "ok", reason, {"age_seconds": max(0.0, late)}
    )
