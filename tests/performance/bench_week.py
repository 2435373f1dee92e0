"""A simulated week of the tables: do files become ever more, and batch runs ever slower?"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any, Final

from include.config import PROJECT_ROOT
from tests.performance import report, spark_driver
from tests.performance.synthetic import BROKEN_EVERY

_DRIVER: Final = PROJECT_ROOT / "tests" / "performance" / "week_driver.py"
# Of one table, once the day is compacted: more than a few files in each partition by day would be a growing problem.
_MOST_IN_A_DAY: Final = 8


def _rows(days: Sequence[dict[str, Any]]) -> list[list[Any]]:
    return [
        [
            f"day {day['day']}",
            " ".join(str(seconds) for seconds in day["run_seconds"]),
            *(sum(table["files"] for table in day[when].values()) for when in ("before", "after")),
            *(sum(table["small"] for table in day[when].values()) for when in ("before", "after")),
            round(sum(table["seconds"] for table in day["compaction"]), 1),
            round(sum(table["read_seconds_before"] for table in day["compaction"]), 1),
            round(sum(table["read_seconds_after"] for table in day["compaction"]), 1),
        ]
        for day in days
    ]


def closed_days(days: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Of each table the most files that a day of it has at the end."""
    return {table: found["most_in_a_day"] for table, found in days[-1]["after"].items()}


def main(arguments: Sequence[str]) -> int:
    """Run the bench and write its report."""
    parser = argparse.ArgumentParser(prog="./run.sh bench week", description=__doc__)
    parser.add_argument("--hourly", type=int, default=18_000, help="events of an hour")
    parser.add_argument("--files", type=int, default=60, help="files that the stream leaves in an hour")
    parser.add_argument("--days", type=int, default=7, help="how long")
    parser.add_argument("--memory", default="1536m", help="heap of the driver")
    options = parser.parse_args(arguments)
    hourly = max(1, options.hourly // BROKEN_EVERY) * BROKEN_EVERY
    figures, driver = spark_driver.run(
        _DRIVER, str(hourly), str(options.files), str(options.days), memory=options.memory
    )
    days: list[dict[str, Any]] = figures["days"]
    columns = [
        "",
        "seconds of each run",
        "files",
        "compacted",
        "small",
        "compacted",
        "compaction s",
        "read s",
        "then s",
    ]
    report.show(f"{hourly:,} events and {options.files} files an hour", columns, _rows(days))
    most = closed_days(days)
    report.show("Most files of one day, at the end", ["table", "files"], sorted(most.items()))
    sys.stdout.write(f"{report.write('week', {'hourly': hourly, 'driver': driver, **figures})}\n")
    return 0 if max(most.values()) <= _MOST_IN_A_DAY else 1
