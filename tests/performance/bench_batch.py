"""The batch layer by volume: rows per second of each job as a share of plain Spark's, and the driver's peak memory."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from include.config import PROJECT_ROOT, Settings
from include.supervision.spark_submit import spark_environment, spark_submit_command
from tests.performance import report, usage
from tests.performance.synthetic import BROKEN_EVERY

_DRIVER: Final = PROJECT_ROOT / "tests" / "performance" / "batch_driver.py"
_JOBS: Final = ("silver", "gold", "compact", "handover")
_LAST_LINES: Final = 30


def measure(events: int, rate: int, memory: str) -> dict[str, Any]:
    """One volume, in a Spark application of its own."""
    with tempfile.TemporaryDirectory(prefix="rdp-bench-") as name:
        folder = Path(name)
        settings = Settings(_env_file=None, platform_data_dir=folder, spark_batch_memory=memory)
        result, log = folder / "result.json", folder / "driver.log"
        command = spark_submit_command(settings, _DRIVER, str(events), str(rate), str(result))
        with log.open("w", encoding="utf-8") as output:
            driver = subprocess.Popen(
                command,
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
        return summary(events, json.loads(result.read_text(encoding="utf-8")), used.as_json()["driver"])


def summary(events: int, figures: dict[str, Any], driver: dict[str, Any]) -> dict[str, Any]:
    """Rates and shares from the driver's seconds."""
    seconds = figures["seconds"]
    limit = events / sorted(figures["plain_spark_seconds"])[len(figures["plain_spark_seconds"]) // 2]
    rates = {job: round(events / seconds[job]) for job in _JOBS}
    rates["silver_and_gold"] = round(events / (seconds["silver"] + seconds["gold"]))
    return {
        "events": events,
        "rows_per_second": rates,
        "engine_limit": round(limit),
        "share_of_engine_limit": {job: round(rate / limit, 3) for job, rate in rates.items()},
        "driver": driver,
        **figures,
    }


def _rows(results: Sequence[dict[str, Any]]) -> list[list[Any]]:
    return [
        [
            f"{result['events']:,}",
            *(
                f"{result['rows_per_second'][job]:,} ({result['share_of_engine_limit'][job]:.2f})"
                for job in (*_JOBS, "silver_and_gold")
            ),
            f"{result['engine_limit']:,}",
            result["driver"]["peak_mib"],
        ]
        for result in results
    ]


def main(arguments: Sequence[str]) -> int:
    """Run the bench and write its report."""
    parser = argparse.ArgumentParser(prog="./run.sh bench batch", description=__doc__)
    parser.add_argument(
        "--events", default="1000000", help="volumes, separated by commas, as 3000000,10000000,30000000"
    )
    parser.add_argument("--rate", type=int, default=200, help="events per second of the simulated time")
    parser.add_argument("--memory", default="1536m", help="heap of the driver")
    options = parser.parse_args(arguments)
    # Copies and broken records come at fixed distances: whole rounds make the truth exact.
    volumes = [max(2, int(text) // BROKEN_EVERY) * BROKEN_EVERY for text in options.events.split(",")]
    results = [measure(events, options.rate, options.memory) for events in volumes]
    columns = ["events", *_JOBS, "silver + gold", "plain Spark", "peak MiB"]
    report.show("Rows per second (share of plain Spark)", columns, _rows(results))
    sys.stdout.write(f"{report.write('batch', {'volumes': results})}\n")
    return 0 if all(result["found"] == result["expected"] for result in results) else 1
