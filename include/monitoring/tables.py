"""How much is written to the Delta tables: read from their logs, without Spark."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from include.config import Settings
from include.names import Table
from include.orchestration.delta_log import commit_facts, versions_of
from include.serving.pipeline_health import HealthRecord

_COUNTS: Final = {"numOutputRows": "rows", "numOutputBytes": "bytes"}


class TableWrites:
    """One observer: it remembers which version of each table it has seen."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seen: dict[Table, int] = {}

    def take(self, time: datetime, seconds: float) -> Iterator[HealthRecord]:
        """One record for each table that got a version since the look before.

        Tables in an object store have no log that is read from here.

        Args:
            time: Moment of the look.
            seconds: Since the look before; 0 when there was none.
        """
        for table in Table:
            log = Path(self._settings.table_path(table)) / "_delta_log"
            if not log.is_dir():
                continue
            newest = max(versions_of(log), default=-1)
            before = self._seen.get(table)
            self._seen[table] = newest
            if before is None or newest <= before or not seconds:
                continue
            written = _written(log, range(before + 1, newest + 1))
            metrics = {f"{name}_per_second": round(value / seconds, 1) for name, value in written.items()}
            yield HealthRecord(
                time, "table_writes", table.value, "ok", None, {**metrics, "commits": float(newest - before)}
            )


def _written(log: Path, versions: range) -> dict[str, float]:
    sums = dict.fromkeys(_COUNTS.values(), 0.0)
    for version in versions:
        try:
            facts = commit_facts(log, version)
        except FileNotFoundError:
            continue  # cleaned up already
        for name, short in _COUNTS.items():
            sums[short] += float(facts.get(name, 0))
    return sums
