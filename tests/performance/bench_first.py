"""A first look in five minutes: latencies at two rates, and the memory of each process."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from include.config import get_settings
from include.supervision.shares import queries_of
from tests.performance import report
from tests.performance.bench_speed import measure, rows_of
from tests.stack import stack

_RATES = (500, 2000)


def processes(result: dict[str, Any]) -> list[list[Any]]:
    """One row per process."""
    return [[part, figures["cores"], figures["peak_mib"]] for part, figures in result["processes"].items()]


def main(arguments: Sequence[str]) -> int:
    """Run the bench and write its report."""
    parser = argparse.ArgumentParser(prog="./run.sh bench first", description=__doc__)
    parser.add_argument("--seconds", type=int, default=45, help="how long each rate is measured")
    parser.add_argument("--warm-up", type=int, default=90, help="how long each rate runs before it is measured")
    options = parser.parse_args(arguments)
    with stack(queries_of(get_settings())) as running:
        results = [measure(running, rate, options.seconds, options.warm_up) for rate in _RATES]
    report.show("Latency, p50 / p99", *rows_of(results))
    report.show(f"Processes at {_RATES[-1]} events/s", ["process", "cores", "peak MiB"], processes(results[-1]))
    sys.stdout.write(f"{report.write('first', {'rates': results})}\n")
    return 0 if all(result["found"] == result["sent"] for result in results) else 1
