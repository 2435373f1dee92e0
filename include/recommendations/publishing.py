"""From a training to what customers see: a new index behind the alias, the figures, and who is told."""

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from include.alerting.alert import Alert, Kind, Severity
from include.alerting.outbox import Outbox
from include.config import Settings
from include.names import Alias
from include.recommendations.records import new_folder, remember, result_in
from include.serving.client import connect, reachable
from include.serving.documents import documents_in
from include.serving.pipeline_health import HealthRecord, publish
from include.serving.reindex import reindex

_KEPT: Final = 10


def publish_training(settings: Settings, folder: Path) -> dict[str, Any]:
    """Show a training's recommendations when its figures allow it; it may be done again.

    Returns:
        The training's result, with the index that is shown now.

    Raises:
        PartUnavailableError: If Elasticsearch does not answer; nothing has changed then.
        ConfigurationError: If a document does not fit the index; nothing has changed then.
    """
    result = result_in(folder)
    with reachable(settings), connect(settings, timeout_seconds=60) as client:
        if result["publish"]:
            report = reindex(client, Alias.RECOMMENDATIONS, documents_in(folder / "documents"), allow_fewer=True)
            result |= {"index": report.new, "documents": report.new_count}
            remember(settings, result)
        publish(client, [_observed(result)])
    Outbox(settings).put(_alert(settings, result))
    _forget_old(folder.parent)
    return result


def train(settings: Settings, days: int) -> dict[str, Any]:
    """Train in a Spark job, and publish.

    Raises:
        PartUnavailableError: If the job fails or Elasticsearch does not answer.
    """
    from include.handover.submit import submit

    folder = new_folder(settings)
    submit(settings, "recommendations.py", [str(folder), "--days", str(days)])
    return publish_training(settings, folder)


def _observed(result: Mapping[str, Any]) -> HealthRecord:
    figures = {
        f"{model}_{name}": float(value)
        for model in ("personal", "popular")
        for name, value in result.get(model, {}).items()
    }
    counts = {name: float(result[name]) for name in ("interactions", "customers", "products") if name in result}
    return HealthRecord(
        time=datetime.now(UTC),
        kind="recommendations",
        subject=str(result["model_version"]),
        status="ok" if result["publish"] == "personal" else "degraded",
        reason=None if result["publish"] == "personal" else str(result["reason"]),
        metrics={**figures, **counts, "seconds": float(result["seconds"])},
        details={"publish": result["publish"], "reason": result["reason"]},
    )


def _alert(settings: Settings, result: Mapping[str, Any]) -> Alert:
    refused = result["publish"] is None and "personal" in result
    return Alert(
        source="recommendations",
        kind=Kind.DATA_QUALITY,
        severity=Severity.WARNING if refused else Severity.INFO,
        subject=(
            f"New recommendations are not shown: {result['reason']}"
            if refused
            else f"Recommendations {result['model_version']}: {result['reason']}"
        ),
        key="recommendations/quality",
        evidence={name: str(result[name]) for name in ("personal", "popular") if name in result},
        runbook=f"{settings.airflow_url}/dags/recommendations",
        resolved=not refused,
    )


def _forget_old(root: Path) -> None:
    for folder in sorted(path for path in root.iterdir() if path.is_dir())[:-_KEPT]:
        shutil.rmtree(folder)
