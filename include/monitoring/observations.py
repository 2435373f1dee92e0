"""What is seen of the platform at one moment, as records for ``pipeline-health``."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import psutil

from include.local.state import PartStatus
from include.messaging.topics import TopicState
from include.serving.freshness import Freshness
from include.serving.pipeline_health import HealthRecord

# Numbers that are older than this are worth somebody's attention.
STALE_SECONDS: Final = 60.0


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
    disk, memory = psutil.disk_usage(folder), psutil.virtual_memory()
    metrics = {
        "cpu_percent": psutil.cpu_percent(),
        "memory_available_mb": memory.available / 1e6,
        "disk_free_mb": disk.free / 1e6,
        "disk_used_percent": disk.percent,
    }
    return HealthRecord(time, "machine", "local", "ok", None, metrics)


def of_freshness(time: datetime, freshness: Freshness) -> HealthRecord:
    """How old the numbers are that anyone would read now."""
    age = freshness.age_seconds(time)
    if age is None:
        return HealthRecord(time, "freshness", "metrics", "unknown", "nothing was counted yet")
    reason = f"the newest numbers are {age:.0f} s old (at most {STALE_SECONDS:.0f} s)" if age > STALE_SECONDS else None
    return HealthRecord(time, "freshness", "metrics", "degraded" if reason else "ok", reason, {"age_seconds": age})
