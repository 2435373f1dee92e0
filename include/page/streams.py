"""The streams as the page shows them: each query's heartbeat file, with the lag that was last observed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from include.config import Settings
from include.handover.segments import ledger_of
from include.names import Query
from include.supervision.heartbeat import Heartbeat, read_heartbeat

# An idle query writes its heartbeat every ten seconds.
_SILENT_SECONDS: Final = 30
_SEGMENTS: Final = 12


def streams(settings: Settings, observed: Mapping[str, Mapping[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """One row for each streaming query.

    Args:
        settings: Where the heartbeats are.
        observed: The newest document of ``pipeline-health`` by query; empty when it cannot be asked.
        now: The moment of asking.
    """
    return [_row(query, read_heartbeat(settings, query), observed.get(query.value, {}), now) for query in Query]


def _row(query: Query, heartbeat: Heartbeat | None, seen: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {"query": query.value, "state": "off", "reason": "It has not run yet."}
    if heartbeat is None:
        return row
    moment = now.timestamp()
    silent = moment - heartbeat.updated_at
    metrics = seen.get("metrics", {})
    if heartbeat.ended is not None:
        state, reason = ("failed", heartbeat.ended.splitlines()[0][:200]) if heartbeat.ended else ("off", "Stopped.")
    elif silent > _SILENT_SECONDS + heartbeat.quiet_seconds:
        state, reason = "failed", f"No heartbeat for {silent:.0f} s."
    elif heartbeat.slow_since:
        state, reason = "degraded", f"Slower than its trigger for {moment - heartbeat.slow_since:.0f} s."
    else:
        state, reason = "ok", ""
    return {
        **row,
        "state": state,
        "reason": reason,
        "heartbeat_seconds": round(silent, 1),
        "lag": None if metrics.get("lag") is None else int(metrics["lag"]),
        "batch_ms": heartbeat.batch_ms,
        "rows_per_second": round(heartbeat.rows_per_second, 1),
        "rows": heartbeat.input_rows,
        "watermark_seconds": None if heartbeat.watermark is None else round(moment - heartbeat.watermark, 1),
        "state_rows": heartbeat.state_rows,
    }


def segments(settings: Settings) -> list[dict[str, Any]]:
    """The speed layer's latest segments, the open one last."""
    return [
        {
            "number": found.number,
            "batches": None if found.last_batch is None else found.last_batch - found.first_batch + 1,
            "sealed_at": found.sealed_at,
            "handed_over_by": found.handed_over_by,
        }
        for found in ledger_of(settings).segments()[-_SEGMENTS:]
    ]
