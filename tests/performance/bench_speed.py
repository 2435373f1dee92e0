"""The speed layer under load: latencies by rate, CPU and memory of every process, share of the engine's limit."""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from include.config import PROJECT_ROOT, get_settings
from include.messaging.topics import end_offsets
from include.names import Query
from include.serving.client import connect
from include.supervision.health import bounds_of
from include.supervision.heartbeat import read_heartbeat
from include.supervision.shares import PARTS, queries_of
from include.supervision.spark_submit import spark_environment
from tests.performance import report, usage
from tests.performance.load import Generator, Load
from tests.performance.stamps import instant_fraud_ms, processing_ms
from tests.performance.visibility import Sightings, events_found, latencies_ms, searching
from tests.stack import Stack, stack

_SAMPLES = 4000
_SETTLE_SECONDS = 60.0
_STACK = {"live_trigger_ms": 200}


def _settled(client: Any, wanted: int) -> int:
    """Events found once the streams had time to catch up."""
    deadline = time.monotonic() + _SETTLE_SECONDS
    while (found := events_found(client)) < wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def _end_to_end(load: Load, seen: Sightings, before: int) -> list[float]:
    sent = load.report["sent"]
    step = max(1, sent // _SAMPLES)
    curve = [(moment, found - before) for moment, found in seen.curve]
    return latencies_ms(load.due, curve, range(step, sent + 1, step))


def lag_seconds(running: Stack, rate: int) -> dict[str, float]:
    """How much input each stream has not done yet, as time at this rate; of one that did nothing so far, all of it.

    In Real-Time Mode rows do not wait, and offsets are told every few minutes only: its alerts say how late it is.
    """
    beats = {query: read_heartbeat(running.settings, query) for query in Query}
    ends = end_offsets(running.settings)
    everything = sum(end for partitions in ends.values() for end in partitions.values())
    return {
        query.value: round((beat.lag(ends) if beat.end_offsets else everything) / rate, 1)
        for query, beat in beats.items()
        if beat is not None and not beat.is_real_time
    }


def measure(running: Stack, rate: int, seconds: int, warm_up: int) -> dict[str, Any]:
    """One rate: warm up, load, and read the clocks."""
    with connect(running.settings) as client:
        # Whoever measured before has left its events.
        already = events_found(client)
        before = already + Generator(running, rate, warm_up, seed=rate).wait().report["sent"]
        _settled(client, before)
        since = time.time()
        generator = Generator(running, rate, seconds, seed=rate + 1)
        pids = {**running.pids(), "load generator": generator.pid}
        with searching(client) as seen, usage.measured(pids) as used:
            load = generator.wait()
            lag = lag_seconds(running, rate)
            found = _settled(client, before + load.report["sent"]) - before
            time.sleep(0.2)
        return {
            "offered_eps": rate,
            "achieved_eps": load.report["rate"],
            "sent": load.report["sent"],
            "found": found,
            "ingest_ms": {name: load.report["ack_ms"][name] for name in ("p50", "p95", "p99")},
            "processing_ms": report.percentiles(processing_ms(client, since)),
            "end_to_end_ms": report.percentiles(_end_to_end(load, seen, before)),
            "instant_fraud_ms": report.percentiles(instant_fraud_ms(running.settings, since)),
            "search_ms": report.percentiles(seen.search_ms),
            "lag_seconds": lag,
            "processes": used.as_json(),
        }


def engine_limit(running: Stack) -> float:
    """Events per second of plain Spark on what the topics hold, nothing else running."""
    answer = subprocess.run(
        [sys.executable, "-m", "tests.performance.engine_limit"],
        cwd=PROJECT_ROOT,
        env={**spark_environment(running.settings), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(answer.stdout.split()[-1])


def rows_of(results: Sequence[dict[str, Any]]) -> tuple[list[str], list[list[Any]]]:
    """Headings and rows of the table that a person reads."""
    columns = ["offered/s", "achieved/s", "ingest ms", "processing ms", "end to end ms", "instant fraud ms"]
    names = ("ingest_ms", "processing_ms", "end_to_end_ms", "instant_fraud_ms")
    return [*columns, "most lag s", "cores", "peak MiB"], [
        [
            result["offered_eps"],
            round(result["achieved_eps"]),
            *(f"{result[name]['p50']} / {result[name]['p99']}" for name in names),
            max(result["lag_seconds"].values()),
            round(sum(part["cores"] for part in result["processes"].values()), 2),
            sum(part["peak_mib"] for part in result["processes"].values()),
        ]
        for result in results
    ]


def main(arguments: Sequence[str]) -> int:
    """Run the bench and write its report."""
    parser = argparse.ArgumentParser(prog="./run.sh bench speed", description=__doc__)
    parser.add_argument("--rates", default="1000,5000,10000,20000", help="events per second, separated by commas")
    parser.add_argument("--seconds", type=int, default=180, help="how long each rate is measured")
    parser.add_argument("--warm-up", type=int, default=240, help="how long each rate runs before it is measured")
    parser.add_argument("--queries", default=",".join(queries_of(get_settings())), help="streams to run")
    options = parser.parse_args(arguments)
    queries = [Query(name) for name in options.queries.split(",")]
    results = []
    limit = 0.0
    for rate in map(int, options.rates.split(",")):
        with stack(queries, **_STACK) as running:
            results.append(measure(running, rate, options.seconds, options.warm_up))
            if rate == max(map(int, options.rates.split(","))):
                for part in PARTS.values():
                    running.supervisor.stop(part)
                limit = engine_limit(running)
    kept = [
        result["offered_eps"]
        for result in results
        if result["found"] >= result["sent"]
        and all(lag <= bounds_of(Query(name)).lag_seconds for name, lag in result["lag_seconds"].items())
    ]
    sustained = max(kept, default=0)
    report.show("Latency, p50 / p99", *rows_of(results))
    path = report.write(
        "speed",
        {
            "rates": results,
            "max_sustained_eps": sustained,
            "engine_limit_eps": limit,
            "share_of_engine_limit": round(sustained / limit, 3) if limit else None,
            "streams": [query.value for query in queries],
        },
    )
    sys.stdout.write(f"{path}\n")
    return 0 if len(kept) == len(results) else 1
