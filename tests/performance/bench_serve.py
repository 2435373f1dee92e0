"""A thousand people before the HTTP API while events flow in: answer times by route, memory, and where it ends."""

import argparse
import csv
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from include.config import PROJECT_ROOT, Settings, get_settings
from include.local.ports import find_free
from include.names import Alias
from include.serving.client import connect
from include.supervision.shares import queries_of
from include.supervision.spark_submit import settings_environment
from tests.performance import report, usage
from tests.performance.load import Generator
from tests.stack import Stack, stack

_STACK: Final = {"live_trigger_ms": 200, "search_user_events": True, "api_requests_per_minute": 0}
# Locust counts anew when all are there.
_SPAWN_SECONDS: Final = 20
# With recommendations of their own.
_CUSTOMERS: Final = 10_000
_KEYS: Final = ("requests", "errors", "per_second", "p50", "p95", "p99")
_FILES: Final = {"api": "dashboard_users.py", "direct": "direct_users.py"}


@contextmanager
def serving(settings: Settings) -> Iterator[tuple[str, int]]:
    """The API in a process of its own: its address and process id."""
    (port,) = find_free(1)
    environment = {**os.environ, **settings_environment(settings)}
    command = [sys.executable, "main.py", "serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment) as server:
        try:
            url = f"http://{settings.platform_bind_host}:{port}"
            _wait_ready(url)
            yield url, server.pid
        finally:
            server.terminate()


def _wait_ready(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/readyz", timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise RuntimeError(f"the API at {url} was not ready within a minute")


def recommend(client: Elasticsearch) -> None:
    """Fill the alias as a training does: everybody, and each of many customers, twenty products."""
    items = [{"product_id": f"p-{number:05d}", "category": "toys", "score": 1 / (number + 1)} for number in range(20)]
    subjects = [("everybody", "everybody"), *(("user", f"u-{number:07d}") for number in range(_CUSTOMERS))]
    bulk(
        client,
        (
            {
                "_index": Alias.RECOMMENDATIONS.value,
                "_id": f"{kind}:{subject}",
                "subject_kind": kind,
                "subject_id": subject,
                "items": items,
            }
            for kind, subject in subjects
        ),
        refresh=True,
    )


def people(kind: str, url: str, users: int, seconds: int, pause: float, folder: Path) -> dict[str, Any]:
    """Let people ask; returns what each route took, in ms.

    Args:
        kind: ``api`` or ``direct``.
        url: Whom they ask.
        users: How many, each with a connection.
        seconds: How long, once all are there.
        pause: Mean of the seconds between two questions of one of them.
        folder: Where Locust leaves its tables.
    """
    prefix = folder / f"{kind}-{users}-{pause}"
    command = [
        *(sys.executable, "-m", "locust", "--headless", "--only-summary", "--reset-stats", "--loglevel", "WARNING"),
        *("-f", f"tests/performance/{_FILES[kind]}", "--host", url, "--csv", str(prefix), "--exit-code-on-error", "0"),
        *("--users", str(users), "--spawn-rate", str(users / _SPAWN_SECONDS)),
        *("--run-time", f"{seconds + _SPAWN_SECONDS}s"),
    ]
    environment = {**os.environ, "DASHBOARD_PAUSE": str(pause), "DASHBOARD_CUSTOMERS": str(_CUSTOMERS)}
    subprocess.run(command, cwd=PROJECT_ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    with Path(f"{prefix}_stats.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["Name"]: row for row in csv.DictReader(file)}
    return {name: _times(row) for name, row in rows.items()}


def _times(row: dict[str, str]) -> dict[str, float]:
    return {
        "requests": int(row["Request Count"]),
        "errors": int(row["Failure Count"]),
        "per_second": round(float(row["Requests/s"]), 1),
        **{f"p{percent}": float(row[f"{percent}%"]) for percent in report.PERCENTS},
    }


def under_load(running: Stack, url: str, pid: int, rate: int, options: argparse.Namespace) -> dict[str, Any]:
    """People ask while events come at a rate."""
    seconds = options.seconds + _SPAWN_SECONDS
    Generator(running, rate, options.warm_up, seed=rate).wait()
    generator = Generator(running, rate, seconds, seed=rate + 1)
    before = psutil.Process(pid).memory_info().rss
    pids = {**running.pids(), "load generator": generator.pid, "api": pid, "people and bench": os.getpid()}
    with usage.measured(pids) as used:
        routes = people("api", url, options.users, options.seconds, options.pause, running.settings.platform_data_dir)
    after = psutil.Process(pid).memory_info().rss
    return {
        "rate": rate,
        "achieved_eps": generator.wait().report["rate"],
        "routes": routes,
        "api_memory_mib": [round(size / 2**20) for size in (before, after)],
        "processes": used.as_json(),
    }


def saturation(url: str, options: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Ever more impatient people, no events coming, until one in a hundred waits for more than a second."""
    steps: list[dict[str, Any]] = []
    for pause in (options.pause, 2.0, 1.0, 0.5, 0.25):
        routes = people("api", url, options.users, options.step_seconds, pause, folder)
        steps.append({"pause_seconds": pause, **routes["Aggregated"]})
        if routes["Aggregated"]["p99"] > 1000:
            break
    return steps


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All of it."""
    with (
        stack(queries_of(get_settings()), **_STACK) as running,
        connect(running.settings, timeout_seconds=60) as client,
        serving(running.settings) as (url, pid),
    ):
        recommend(client)
        loads = [under_load(running, url, pid, rate, options) for rate in options.rates]
        folder = running.settings.platform_data_dir
        search = running.settings.search_url
        return {
            "users": options.users,
            "pause_seconds": options.pause,
            "under_load": loads,
            "idle": people("api", url, options.users, options.step_seconds, options.pause, folder),
            "straight_to_elasticsearch": people(
                "direct", search, options.users, options.step_seconds, options.pause, folder
            ),
            "saturation": saturation(url, options, folder),
        }


def show(result: dict[str, Any]) -> None:
    """The tables that a person reads."""
    columns = ["route", "requests", "errors", "per second", "p50", "p95", "p99"]
    parts = {f"events at {load['rate']}/s": load["routes"] for load in result["under_load"]}
    parts |= {"no events": result["idle"], "straight to Elasticsearch": result["straight_to_elasticsearch"]}
    for title, routes in parts.items():
        rows = [[name, *(found[key] for key in _KEYS)] for name, found in routes.items()]
        report.show(f"{result['users']} people, {title}, ms", columns, rows)
    steps = [[f"pause {step['pause_seconds']} s", *(step[key] for key in _KEYS)] for step in result["saturation"]]
    report.show("Ever more impatient, ms", columns, steps)


def main(arguments: Sequence[str]) -> int:
    """Run the bench and write its report."""
    parser = argparse.ArgumentParser(prog="./run.sh bench serve", description=__doc__)
    parser.add_argument("--users", type=int, default=1000, help="people, each with a connection")
    parser.add_argument("--pause", type=float, default=5.0, help="mean seconds between two questions of one of them")
    parser.add_argument("--rates", type=_rates, default=[2000, 10_000], help="events per second, separated by commas")
    parser.add_argument("--seconds", type=int, default=300, help="how long at each rate")
    parser.add_argument("--step-seconds", type=int, default=60, help="how long for each measurement without events")
    parser.add_argument("--warm-up", type=int, default=120, help="how long events come before each rate")
    options = parser.parse_args(arguments)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    result = measure(options)
    show(result)
    sys.stdout.write(f"{report.write('serve', result)}\n")
    errors = [route["errors"] for load in result["under_load"] for route in load["routes"].values()]
    return 1 if any(errors) else 0


def _rates(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]
