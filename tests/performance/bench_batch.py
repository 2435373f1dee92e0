"""The batch layer by volume: rows per second of each job as a share of plain Spark's, DuckDB beside it, memory."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from include.config import PROJECT_ROOT
from tests.performance import duckdb_sums, report, spark_driver
from tests.performance.synthetic import BROKEN_EVERY

_DRIVER: Final = PROJECT_ROOT / "tests" / "performance" / "batch_driver.py"
_JOBS: Final = ("silver", "gold", "compact", "handover")


def measure(events: int, rate: int, memory: str, limit_runs: int) -> dict[str, Any]:
    """One volume, in a Spark application of its own; then DuckDB on the same records."""

    def also_by_duckdb(figures: dict[str, Any], folder: Path) -> None:
        files = figures.pop("bronze_files")
        figures["duckdb"] = duckdb_sums.measure(
            files, os.cpu_count() or 1, f"{memory.rstrip('m')}MB", folder / "duckdb", limit_runs
        )

    arguments = (str(events), str(rate), str(limit_runs))
    figures, driver = spark_driver.run(_DRIVER, *arguments, memory=memory, afterwards=also_by_duckdb)
    return summary(events, figures, driver)


def _median(seconds: Sequence[float]) -> float:
    return sorted(seconds)[len(seconds) // 2]


def summary(events: int, figures: dict[str, Any], driver: dict[str, Any]) -> dict[str, Any]:
    """Rates and shares from the driver's seconds."""
    seconds = figures["seconds"]
    limit = events / _median(figures["plain_spark_seconds"])
    rates = {job: round(events / seconds[job]) for job in _JOBS}
    rates["silver_and_gold"] = round(events / (seconds["silver"] + seconds["gold"]))
    return {
        "events": events,
        "rows_per_second": rates,
        "engine_limit": round(limit),
        "duckdb_rows_per_second": round(events / _median(figures["duckdb"]["seconds"])),
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
            f"{result['duckdb_rows_per_second']:,}",
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
    parser.add_argument("--memory", default="1536m", help="heap of the driver, as 1536m; DuckDB may use as much")
    parser.add_argument("--limit-runs", type=int, default=3, help="runs of plain Spark and DuckDB, whose median counts")
    options = parser.parse_args(arguments)
    # Copies and broken records come at fixed distances: whole rounds make the truth exact.
    volumes = [max(2, int(text) // BROKEN_EVERY) * BROKEN_EVERY for text in options.events.split(",")]
    results = [measure(events, options.rate, options.memory, options.limit_runs) for events in volumes]
    columns = ["events", *_JOBS, "silver + gold", "plain Spark", "DuckDB", "peak MiB"]
    report.show("Rows per second (share of plain Spark)", columns, _rows(results))
    sys.stdout.write(f"{report.write('batch', {'volumes': results})}\n")
    return 0 if all(result["found"] == result["expected"] for result in results) else 1
