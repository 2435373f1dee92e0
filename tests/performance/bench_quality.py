"""Data quality by figures: what judging an event costs, and what a suite costs on one large day of a table."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any, Final

from include.config import PROJECT_ROOT
from tests.performance import report, spark_driver
from tests.performance.synthetic import BROKEN_EVERY

_DRIVER: Final = PROJECT_ROOT / "tests" / "performance" / "quality_driver.py"


def _rows(result: dict[str, Any]) -> list[list[Any]]:
    return [
        [name, f"{found['rows']:,}", found["checked"], found["expectations"], found["failures"], found["seconds"]]
        for name, found in result["suites"].items()
    ]


def main(arguments: Sequence[str]) -> int:
    """Run the bench and write its report."""
    parser = argparse.ArgumentParser(prog="./run.sh bench quality", description=__doc__)
    parser.add_argument(
        "--events", type=int, default=1_000_000, help="events of the day; 13000000 make 10 million user events"
    )
    parser.add_argument("--memory", default="1536m", help="heap of the driver")
    options = parser.parse_args(arguments)
    events = max(2, options.events // BROKEN_EVERY) * BROKEN_EVERY
    result, driver = spark_driver.run(_DRIVER, str(events), memory=options.memory)
    columns = ["suite on one day of silver.user_events", "rows", "checked", "expectations", "failures", "seconds"]
    report.show("Great Expectations", columns, _rows(result))
    report.show(
        "Judging",
        ["events", "processor µs for each", "driver's peak MiB"],
        [[f"{events:,}", result["judge_micros"]["median"], driver["peak_mib"]]],
    )
    path = report.write("quality", {"events": events, "heap": options.memory, "driver": driver, **result})
    sys.stdout.write(f"{path}\n")
    return 0 if all(not found["failures"] for found in result["suites"].values()) else 1
