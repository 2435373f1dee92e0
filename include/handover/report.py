"""What a handover says: the comparison as a file, a health record and an alert."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from include.alerting.alert import Alert, Kind, Severity
from include.handover.cells import MEASURES
from include.handover.comparison import Comparison
from include.handover.runs import HandoverRun, Step
from include.handover.segments import write_atomically
from include.serving.pipeline_health import HealthRecord

DRIFT: Final = "lambda_drift_ratio"
_EVIDENCE: Final = 5


def write_comparison(folder: Path, run: HandoverRun, comparison: Comparison) -> Path:
    """Keep the comparison beside the run's record, as ``comparison.json``."""
    path = folder / "comparison.json"
    body = {
        "run": run.run_id,
        "segments": list(run.segments),
        "drift": comparison.drift,
        "causes": run.causes,
        "cells": comparison.cells,
        "explained": comparison.explained,
        "unexplained": comparison.unexplained,
        "speed": dict(zip(MEASURES, comparison.speed, strict=True)),
        "batch": dict(zip(MEASURES, comparison.batch, strict=True)),
        "hours": comparison.hours,
        "differences": comparison.rows(),
    }
    write_atomically(path, json.dumps(body, indent=1))
    return path


def health_of(run: HandoverRun, comparison: Comparison) -> HealthRecord:
    """The observation for ``pipeline-health``, with the comparison table in its details."""
    refused = run.step is Step.REFUSED
    metrics: dict[str, float] = {
        DRIFT: comparison.drift,
        "cells": comparison.cells,
        "explained": comparison.explained,
        "unexplained": comparison.unexplained,
    }
    for layer, sums in (("speed", comparison.speed), ("batch", comparison.batch)):
        metrics |= {f"{layer}_{name}": float(value) for name, value in zip(MEASURES, sums, strict=True)}
    reason = f"{comparison.unexplained} cell(s) differ without a reason; readers keep the old view" if refused else None
    return HealthRecord(
        time=datetime.now(UTC),
        kind="handover",
        subject=run.run_id,
        status="failed" if refused else "ok",
        reason=reason,
        metrics=metrics | {f"cause_{name}": float(count) for name, count in run.causes.items()},
        details={"run": asdict(run), "hours": comparison.hours, "differences": comparison.rows()},
    )


def alert_of(run: HandoverRun, comparison: Comparison) -> Alert:
    """The alert of a refused handover, or the one that ends the incident."""
    refused = run.step is Step.REFUSED
    return Alert(
        source="handover",
        kind=Kind.DRIFT,
        severity=Severity.CRITICAL if refused else Severity.INFO,
        subject=(
            f"Handover {run.run_id} refused: {comparison.unexplained} cell(s) differ without a reason"
            if refused
            else f"Handover {run.run_id}: speed and batch layer agree"
        ),
        key="handover/drift",
        evidence={
            DRIFT: f"{comparison.drift:.6f}",
            **{f"difference {number}": json.dumps(row) for number, row in enumerate(comparison.rows()[:_EVIDENCE], 1)},
        },
        resolved=not refused,
    )
