"""People by Locust, in a process of its own: what each kind of request took."""

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from include.config import PROJECT_ROOT
from tests.performance import report

# Locust counts anew when all are there.
SPAWN_SECONDS: Final = 20
KEYS: Final = ("requests", "errors", "per_second", "p50", "p95", "p99")
COLUMNS: Final = ("requests", "errors", "per second", "p50", "p95", "p99")

Routes = dict[str, dict[str, Any]]


def ask(file: str, url: str, users: int, seconds: int, folder: Path, **variables: object) -> Routes:
    """Let people ask; returns what each kind of request took, in ms, and all together as ``Aggregated``.

    Args:
        file: Locust file in this folder.
        url: Whom they ask.
        users: How many, each with a connection.
        seconds: How long, once all are there.
        folder: Where Locust leaves its tables.
        **variables: What the file reads from its environment.
    """
    prefix = folder / f"{Path(file).stem}-{users}"
    command = [
        *(sys.executable, "-m", "locust", "--headless", "--only-summary", "--reset-stats", "--loglevel", "WARNING"),
        *("-f", f"tests/performance/{file}", "--host", url, "--csv", str(prefix), "--exit-code-on-error", "0"),
        *("--users", str(users), "--spawn-rate", str(max(1.0, users / SPAWN_SECONDS))),
        *("--run-time", f"{seconds + SPAWN_SECONDS}s"),
    ]
    environment = {**os.environ, **{name: str(value) for name, value in variables.items()}}
    subprocess.run(command, cwd=PROJECT_ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    with Path(f"{prefix}_stats.csv").open(encoding="utf-8", newline="") as table:
        return {row["Name"]: _times(row) for row in csv.DictReader(table)}


def _times(row: dict[str, str]) -> dict[str, Any]:
    return {
        "requests": int(row["Request Count"]),
        "errors": int(row["Failure Count"]),
        "per_second": round(float(row["Requests/s"]), 1),
        **{f"p{percent}": float(row[f"{percent}%"]) for percent in report.PERCENTS},
    }


def show(title: str, routes: Routes) -> None:
    """Print them as a table."""
    rows = [[name, *(found[key] for key in KEYS)] for name, found in routes.items()]
    report.show(title, ["", *COLUMNS], rows)
