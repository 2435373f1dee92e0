"""A Spark application of a bench, in a process and a data folder of its own, which is measured from outside."""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from include.config import PROJECT_ROOT, Settings
from include.supervision.spark_submit import spark_environment, spark_submit_command
from tests.performance import usage

_LAST_LINES: Final = 30


def run(
    job: Path, *arguments: str, memory: str, afterwards: Callable[[dict[str, Any], Path], None] | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Submit a job that writes its figures as JSON to the file that its last argument names.

    Args:
        job: The job's Python file.
        *arguments: What it gets before the file's name.
        memory: Heap of the driver.
        afterwards: What is done when the driver has ended and its data is still there: with the figures and the folder.

    Returns:
        The job's figures; cores and peak memory of its processes.

    Raises:
        RuntimeError: If it fails; carries the end of its log.
    """
    with tempfile.TemporaryDirectory(prefix="rdp-bench-") as name:
        folder = Path(name)
        settings = Settings(_env_file=None, platform_data_dir=folder, spark_batch_memory=memory)
        result, log = folder / "result.json", folder / "driver.log"
        with log.open("w", encoding="utf-8") as output:
            driver = subprocess.Popen(
                spark_submit_command(settings, job, *arguments, str(result)),
                cwd=PROJECT_ROOT,
                env={**os.environ, **spark_environment(settings)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                with usage.measured({"driver": driver.pid}) as used:
                    ended = driver.wait()
            finally:
                driver.terminate()
        if ended:
            tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
            raise RuntimeError(f"the driver ended with {ended}:\n" + "\n".join(tail))
        figures = json.loads(result.read_text(encoding="utf-8"))
        if afterwards:
            afterwards(figures, folder)
        return figures, used.as_json()["driver"]
