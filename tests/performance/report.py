"""What a bench leaves behind: a table on the screen and ``reports/bench/<name>.json``."""

import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil
from rich.console import Console
from rich.table import Table

from include.config import PROJECT_ROOT

FOLDER: Final = PROJECT_ROOT / "reports" / "bench"
PERCENTS: Final = (50, 95, 99)


def percentiles(values: Iterable[float], digits: int = 1) -> dict[str, float | None]:
    """The ``p50``, ``p95`` and ``p99`` of values by nearest rank; all null when there are none."""
    ranked = sorted(values)
    if not ranked:
        return {f"p{percent}": None for percent in PERCENTS}
    return {f"p{percent}": round(ranked[max(0, -(-percent * len(ranked) // 100) - 1)], digits) for percent in PERCENTS}


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "processor": platform.processor() or platform.machine(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def write(name: str, result: Mapping[str, Any]) -> Path:
    """Write the report; returns where."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.json"
    head = {
        "name": name,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": f"./run.sh bench {' '.join(sys.argv[1:]) or name}",
        "machine": machine(),
    }
    path.write_text(json.dumps({**head, **result}, indent=1) + "\n", encoding="utf-8")
    return path


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table."""
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*("-" if cell is None else str(cell) for cell in row))
    Console(width=max(120, Console().width)).print(table)
