"""Submits batch jobs to Spark at low priority, so that the live stream goes first when cores are short."""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from include.config import PROJECT_ROOT, Settings
from include.errors import PartUnavailableError
from include.supervision.priority import modest
from include.supervision.spark_submit import spark_environment, spark_submit_command

_LAST_LINES: Final = 25


def submit(settings: Settings, job: str, arguments: Sequence[str]) -> None:
    """Run a job of ``spark_jobs/batch`` to its end; its output goes to ``<data>/logs/<job>.log``.

    Raises:
        PartUnavailableError: If it fails; carries the end of its log.
    """
    path = PROJECT_ROOT / "spark_jobs" / "batch" / job
    command = [*modest(settings), *spark_submit_command(settings, path, *arguments)]
    log = settings.log_dir / f"{path.stem}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(
            command,
            env={**os.environ, **spark_environment(settings)},
            cwd=PROJECT_ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:])
        raise PartUnavailableError(path.stem, f"the Spark job ended with {done.returncode}; the end of {log}:\n{tail}")


def report_of(settings: Settings, job: str, arguments: Sequence[str]) -> Any:
    """Run a job that takes ``--report``, and return what it wrote there."""
    with tempfile.TemporaryDirectory(prefix="rdp-batch-") as folder:
        report = Path(folder) / "report.json"
        submit(settings, job, [*arguments, "--report", str(report)])
        return json.loads(report.read_text(encoding="utf-8"))


def submit_recompute(settings: Settings, folder: Path) -> None:
    """The batch side of a handover, for the run in a folder."""
    submit(settings, "handover.py", [str(folder)])
