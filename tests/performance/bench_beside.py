"""What batch work costs the live numbers: end to end latency while each job runs beside the streams."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from elasticsearch import Elasticsearch

from include.config import Settings, get_settings
from include.errors import PlatformError
from include.handover.handover import Handover
from include.handover.submit import report_of, submit, submit_recompute
from include.names import Alias
from include.serving.client import connect
from include.serving.reindex import reindex
from include.supervision.shares import queries_of
from tests.performance import report
from tests.performance.load import Generator, Load
from tests.performance.visibility import Sightings, events_found, latencies_ms, searching
from tests.stack import stack

NOTHING: Final = "nothing"
FAILED: Final = " (failed)"
_SAMPLES_PER_SECOND: Final = 20
_STACK: Final = {"live_trigger_ms": 200}

Phase = tuple[str, float, float]


def jobs(settings: Settings, client: Elasticsearch) -> dict[str, Callable[[], object]]:
    """What runs beside the streams, as the DAGs run it: one after the other, at low priority."""
    return {
        "recompute": lambda: report_of(settings, "process.py", ["--days", "2"]),
        "handover": lambda: Handover(settings, client, lambda folder: submit_recompute(settings, folder)).run(),
        "validation": lambda: submit(settings, "validate.py", []),
        "compaction": lambda: report_of(settings, "compact.py", []),
        "reindex": lambda: reindex(client, Alias.EVENTS),
    }


def _phases(todo: dict[str, Callable[[], object]], quiet_seconds: float) -> list[Phase]:
    """Do the jobs; returns when each began and ended, and a quiet time before and after them."""

    def waited() -> Phase:
        begun = time.time()
        time.sleep(quiet_seconds)
        return (NOTHING, begun, time.time())

    done = [waited()]
    for name, job in todo.items():
        begun = time.time()
        try:
            job()
        except PlatformError as error:
            # What the others cost is worth knowing all the same.
            sys.stderr.write(f"{name} failed: {error}\n")
            name += FAILED
        done.append((name, begun, time.time()))
        sys.stderr.write(f"{name}: {time.time() - begun:.0f} s\n")
    return [*done, waited()]


def latencies(load: Load, seen: Sightings, before: int, phases: Sequence[Phase]) -> dict[str, list[float]]:
    """End to end latencies of the events that were due while each phase went on."""
    curve = [(moment, found - before) for moment, found in seen.curve]
    step = max(1, round(load.rate / _SAMPLES_PER_SECOND))
    found: dict[str, list[float]] = {}
    for name, begun, ended in phases:
        first, last = (max(1, int((moment - load.begun) * load.rate)) for moment in (begun, ended))
        samples = range(first, min(last, load.report["sent"]), step)
        found.setdefault(name, []).extend(latencies_ms(load.due, curve, samples))
    return found


def measure(rate: int, seconds: int, warm_up: int, quiet: float) -> dict[str, Any]:
    """Warm up, then do each job once while events go on."""
    with (
        stack(queries_of(get_settings()), **_STACK) as running,
        connect(running.settings, timeout_seconds=60) as client,
    ):
        before = Generator(running, rate, warm_up, seed=rate).wait().report["sent"]
        generator = Generator(running, rate, seconds, seed=rate + 1)
        with searching(client) as seen:
            phases = _phases(jobs(running.settings, client), quiet)
            in_time = generator.is_running
            generator.stop()
            load = generator.wait()
            time.sleep(10)
        found = events_found(client) - before
    took = {name: round(ended - begun, 1) for name, begun, ended in phases}
    beside = latencies(load, seen, before, phases)
    return {
        "rate": rate,
        "achieved_eps": load.report["rate"],
        "sent": load.report["sent"],
        "found": found,
        "jobs_ended_while_events_came": in_time,
        "beside": {
            name: {"seconds": took[name], "end_to_end_ms": report.percentiles(values)}
            for name, values in beside.items()
        },
    }


def main(arguments: Sequence[str]) -> int:
    """Run the bench and write its report."""
    parser = argparse.ArgumentParser(prog="./run.sh bench beside", description=__doc__)
    parser.add_argument("--rate", type=int, default=5000, help="events per second")
    parser.add_argument("--seconds", type=int, default=3600, help="how long events come at most; the jobs end before")
    parser.add_argument("--warm-up", type=int, default=400, help="how long events come before, so that bronze has some")
    parser.add_argument("--quiet", type=float, default=60, help="seconds without a job, before and after")
    options = parser.parse_args(arguments)
    result = measure(options.rate, options.seconds, options.warm_up, options.quiet)
    rows = [
        [name, found["seconds"], *(found["end_to_end_ms"][key] for key in ("p50", "p95", "p99"))]
        for name, found in result["beside"].items()
    ]
    report.show(f"End to end at {options.rate}/s, ms", ["beside", "seconds", "p50", "p95", "p99"], rows)
    sys.stdout.write(f"{report.write('beside', result)}\n")
    failed = [name for name in result["beside"] if name.endswith(FAILED)]
    whole = result["found"] >= result["sent"] and result["jobs_ended_while_events_came"]
    return 0 if whole and not failed else 1
