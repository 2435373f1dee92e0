"""What a table's last commit did, read from its Delta log without Spark, for the metadata of asset events."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

_COMMIT: Final = re.compile(r"^(\d{20})\.json$")


def last_commit(table_path: str) -> dict[str, str | int]:
    """Version, time, operation and the numbers that Delta counted, for example ``numOutputRows``.

    Args:
        table_path: Root of the table. A table in an object store is only named: its log is not read from here.
    """
    facts: dict[str, str | int] = {"path": table_path}
    log = Path(table_path) / "_delta_log"
    if "://" in table_path or not log.is_dir():
        return facts
    versions = versions_of(log)
    return {**facts, "delta_version": versions[-1], **commit_facts(log, versions[-1])} if versions else facts


def versions_of(log: Path) -> list[int]:
    """Versions whose commits are in a table's log, in order."""
    return sorted(int(path.stem) for path in log.iterdir() if _COMMIT.match(path.name))


def commit_facts(log: Path, version: int) -> dict[str, str | int]:
    """What one commit says of itself: operation, time and the numbers that Delta counted."""
    facts: dict[str, str | int] = {}
    for line in (log / f"{version:020d}.json").read_text(encoding="utf-8").splitlines():
        if "commitInfo" in (action := json.loads(line)):
            facts.update(_of_commit(action["commitInfo"]))
    return facts


def _of_commit(commit: dict[str, Any]) -> dict[str, str | int]:
    facts: dict[str, str | int] = {"operation": str(commit.get("operation", "unknown"))}
    if "timestamp" in commit:
        facts["committed_at"] = datetime.fromtimestamp(commit["timestamp"] / 1000, UTC).isoformat(timespec="seconds")
    # Delta writes its counts as text.
    counts = {name: int(value) for name, value in commit.get("operationMetrics", {}).items() if str(value).isdigit()}
    return {**facts, **counts}
