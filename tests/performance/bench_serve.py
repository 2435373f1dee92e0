"""A thousand people before the HTTP API while events flow in: answer times by route, memory, and where it ends."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

import psutil
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from include.config import get_settings
from include.names import Alias
from include.serving.client import connect
from include.supervision.shares import queries_of
from tests.performance import people, report, usage
from tests.performance.load import Generator
from tests.performance.servers import open_many_files, serving
from tests.stack import Stack, stack

_STACK: Final = {"live_trigger_ms": 200, "search_user_events": True, "api_requests_per_minute": 0}
_API: Final = "dashboard_users.py"
_DIRECT: Final = "direct_users.py"
# With recommendations of their own.
_CUSTOMERS: Final = 10_000
_IMPATIENT: Final = (2.0, 1.0, 0.5, 0.25)
_SLOW_MS: Final = 1000


def recommend(client: Elasticsearch) -> None:
    """Fill the alias as a training does: everybody, and each of many customers, twenty products."""
    items = [{"product_id": f"p-{number:05d}", "category": "toys", "score": 1 / (number + 1)} for number in range(20)]
    subjects = [("everybody", "everybody"), *(("user", f"u-{number:07d}") for number in range(_CUSTOMERS))]
    documents = (
        {
            "_index": Alias.RECOMMENDATIONS.value,
            "_id": f"{kind}:{subject}",
            "subject_kind": kind,
            "subject_id": subject,
            "items": items,
        }
        for kind, subject in subjects
    )
    bulk(client, documents, refresh=True)


class Bench:
    """A running platform, its API, and people before it."""

    def __init__(self, running: Stack, url: str, pid: int, options: argparse.Namespace) -> None:
        self._running, self._url, self._pid, self._options = running, url, pid, options

    def ask(self, file: str, url: str, seconds: int, pause: float) -> people.Routes:
        """People with a pause between their questions."""
        folder = self._running.settings.platform_data_dir
        variables = {"DASHBOARD_PAUSE": pause, "DASHBOARD_CUSTOMERS": _CUSTOMERS}
        return people.ask(file, url, self._options.users, seconds, folder, **variables)

    def under_load(self, rate: int) -> dict[str, Any]:
        """People ask while events come at a rate."""
        options = self._options
        Generator(self._running, rate, options.warm_up, seed=rate).wait()
        generator = Generator(self._running, rate, options.seconds + people.SPAWN_SECONDS, seed=rate + 1)
        parts = {"load generator": generator.pid, "api": self._pid, "people and bench": os.getpid()}
        before = self._memory()
        with usage.measured({**self._running.pids(), **parts}) as used:
            routes = self.ask(_API, self._url, options.seconds, options.pause)
        return {
            "rate": rate,
            "achieved_eps": generator.wait().report["rate"],
            "routes": routes,
            "api_memory_mib": [before, self._memory()],
            "processes": used.as_json(),
        }

    def idle(self) -> people.Routes:
        """The same people, and no events."""
        return self.ask(_API, self._url, self._options.step_seconds, self._options.pause)

    def direct(self) -> people.Routes:
        """The same questions to Elasticsearch itself."""
        search = self._running.settings.search_url
        return self.ask(_DIRECT, search, self._options.step_seconds, self._options.pause)

    def saturation(self) -> list[dict[str, Any]]:
        """Ever more impatient people, until one in a hundred waits for more than a second."""
        steps: list[dict[str, Any]] = []
        for pause in _IMPATIENT:
            routes = self.ask(_API, self._url, self._options.step_seconds, pause)
            steps.append({"pause_seconds": pause, **routes["Aggregated"]})
            if steps[-1]["p99"] > _SLOW_MS:
                break
        return steps

    def _memory(self) -> int:
        return round(psutil.Process(self._pid).memory_info().rss / 2**20)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All of it."""
    with (
        stack(queries_of(get_settings()), **_STACK) as running,
        connect(running.settings, timeout_seconds=60) as client,
        serving(running.settings, "serve", "/readyz") as (url, pid),
    ):
        recommend(client)
        bench = Bench(running, url, pid, options)
        return {
            "users": options.users,
            "pause_seconds": options.pause,
            "under_load": [bench.under_load(rate) for rate in options.rates],
            "idle": bench.idle(),
            "straight_to_elasticsearch": bench.direct(),
            "saturation": bench.saturation(),
        }


def show(result: dict[str, Any]) -> None:
    """The tables that a person reads."""
    for load in result["under_load"]:
        people.show(f"{result['users']} people, events at {load['rate']}/s, ms", load["routes"])
    people.show("no events, ms", result["idle"])
    people.show("straight to Elasticsearch, ms", result["straight_to_elasticsearch"])
    people.show("ever more impatient, ms", {f"pause {step['pause_seconds']} s": step for step in result["saturation"]})


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
    open_many_files()
    result = measure(options)
    show(result)
    sys.stdout.write(f"{report.write('serve', result)}\n")
    errors = [route["errors"] for load in result["under_load"] for route in load["routes"].values()]
    return 1 if any(errors) else 0


def _rates(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]
