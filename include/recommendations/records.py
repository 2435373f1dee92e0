"""Records of trainings: one folder for each below ``<data>/recommendations``, and which of them is shown."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from include.config import Settings
from include.handover.segments import write_atomically


def _root(settings: Settings) -> Path:
    return settings.platform_data_dir / "recommendations"


def new_folder(settings: Settings) -> Path:
    """Where the next training writes; its name is the model's version, and names sort by time."""
    return _root(settings) / datetime.now(UTC).strftime("%Y%m%dT%H%M%S")


def result_in(folder: Path) -> dict[str, Any]:
    """What a training found."""
    result: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return result


def published(settings: Settings) -> dict[str, Any] | None:
    """What is shown now: ``kind``, ``recall``, ``model_version``; None before the first time."""
    path = _root(settings) / "published.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def remember(settings: Settings, result: Mapping[str, Any]) -> None:
    """Note that the model of a training is shown from now on."""
    record = {
        "kind": result["publish"],
        "recall": result["personal"]["recall"],
        "model_version": result["model_version"],
        "published_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_atomically(_root(settings) / "published.json", json.dumps(record, indent=1))
