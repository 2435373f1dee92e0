"""From what Spark says of a micro-batch to the query's heartbeat and its record in ``pipeline-health``."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from include.handover.checkpoint import Offsets
from include.serving.pipeline_health import HealthRecord
from include.supervision.heartbeat import Heartbeat, as_time

Progress = Mapping[str, Any]

_MEGABYTE: Final = 1024 * 1024


def _end_offsets(progress: Progress) -> Offsets:
    offsets: Offsets = {}
    for source in progress["sources"]:
        end = source["endOffset"]
        end = json.loads(end) if isinstance(end, str) else end
        for topic, partitions in (end or {}).items():
            # A Delta source speaks of versions, not of partitions.
            if isinstance(partitions, Mapping):
                offsets[topic] = {int(partition): int(offset) for partition, offset in partitions.items()}
    return offsets


def _event_time(progress: Progress, name: str) -> float | None:
    text = progress.get("eventTime", {}).get(name)
    seconds = datetime.fromisoformat(text).timestamp() if text else 0.0
    return seconds or None


def _watermark_fields(last: Heartbeat, progress: Progress, has_input: bool, now: float) -> dict[str, Any]:
    watermark = _event_time(progress, "watermark")
    before = last.latest_event or 0.0
    latest = max(before, _event_time(progress, "max") or 0.0)
    moved, since = watermark != last.watermark, last.watermark_still_since
    if moved:
        since = None
    elif has_input and last.watermark_is_due:
        since = since or now
    still_for = (now - since if has_input else last.watermark_still_for) if since else 0.0
    return {
        "watermark": watermark,
        "latest_event": latest or None,
        # Spark moves it in the micro-batch after the one with the later event.
        "watermark_is_due": latest > before or (last.watermark_is_due and not moved),
        "watermark_still_since": since,
        "watermark_still_for": still_for,
    }


def advance(
    last: Heartbeat, progress: Progress, now: float, *, rejected_share: float = 0.0, too_late: int = 0
) -> Heartbeat:
    """The heartbeat after a progress of the query.

    Args:
        last: The heartbeat before it.
        progress: Spark's progress, as its JSON has it.
        now: Unix seconds.
        rejected_share: Share of the latest rows that went to the dead letters.
        too_late: Rows that the query's sink left out for being too late; what Spark leaves out comes on top.
    """
    rows = int(progress["numInputRows"])
    durations = {phase: int(ms) for phase, ms in progress["durationMs"].items()}
    batch_ms = durations.get("triggerExecution", 0)
    offsets = _end_offsets(progress) or last.end_offsets
    is_slow = rows > 0 and not last.is_real_time and last.trigger_ms is not None and batch_ms > last.trigger_ms
    states = progress["stateOperators"]
    return replace(
        last,
        updated_at=now,
        batch_id=int(progress["batchId"]),
        batch_ms=batch_ms if rows else last.batch_ms,
        slow_since=(last.slow_since or now) if is_slow else (last.slow_since if not rows else None),
        end_offsets=offsets,
        offsets_moved_at=now if offsets != last.end_offsets else last.offsets_moved_at,
        input_rows=last.input_rows + rows,
        rows_per_second=float(progress.get("processedRowsPerSecond") or 0.0) if rows else last.rows_per_second,
        rejected_share=rejected_share,
        too_late=last.too_late + too_late + sum(s["numRowsDroppedByWatermark"] for s in states),
        state_rows=sum(max(0, s["numRowsTotal"]) for s in states),
        state_bytes=sum(s["memoryUsedBytes"] for s in states),
        durations_ms=durations,
        **_watermark_fields(last, progress, rows > 0, now),
    )


def record_of(heartbeat: Heartbeat, lag: int | None) -> HealthRecord:
    """What ``pipeline-health`` keeps of a heartbeat.

    Args:
        heartbeat: The heartbeat.
        lag: Records waiting at the broker; None where it could not be asked.
    """
    metrics = {
        "batch_id": heartbeat.batch_id,
        "batch_ms": heartbeat.batch_ms,
        "input_rows": heartbeat.input_rows,
        "rows_per_second": heartbeat.rows_per_second,
        "rejected_share": heartbeat.rejected_share,
        "too_late": heartbeat.too_late,
        "state_rows": heartbeat.state_rows,
        "state_megabytes": heartbeat.state_bytes / _MEGABYTE,
        **({} if lag is None else {"lag": lag}),
        **({} if heartbeat.watermark is None else {"watermark_age": heartbeat.updated_at - heartbeat.watermark}),
        **{f"phase_{phase}_ms": ms for phase, ms in heartbeat.durations_ms.items()},
    }
    return HealthRecord(
        time=as_time(heartbeat.updated_at),
        kind="stream",
        subject=heartbeat.query,
        status="failed" if heartbeat.ended else "ok",
        reason=heartbeat.ended or None,
        metrics={name: float(value) for name, value in metrics.items()},
        details={"end_offsets": heartbeat.end_offsets, "query_id": heartbeat.query_id, "pid": heartbeat.pid},
    )
