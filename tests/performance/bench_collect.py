"""The collector under shops' SDKs: how long an acknowledged batch takes, and whether every event is in Kafka."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, Final

from include.messaging.topics import end_offsets
from include.names import Topic
from tests.performance import people, report, usage
from tests.performance.servers import open_many_files, serving
from tests.stack import Stack, stack

_KEY: Final = "bench"


def _arrived(running: Stack) -> int:
    return sum(end_offsets(running.settings)[Topic.USER_EVENTS.value].values())


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Warm up with the same, then measure."""
    shops = options.rate // options.batch
    variables = {"SHOP_BATCH": options.batch, "SHOP_WRITE_KEY": _KEY}
    with (
        stack() as running,
        serving(running.settings, "collect", "/healthz", COLLECTOR_WRITE_KEYS=_KEY) as (url, pid),
    ):
        folder = running.settings.platform_data_dir
        people.ask("shop_sdks.py", url, shops, options.warm_up, folder, **variables)
        before = _arrived(running)
        parts = {**running.pids(), "collector": pid, "shops and bench": os.getpid()}
        with usage.measured(parts) as used:
            routes = people.ask("shop_sdks.py", url, shops, options.seconds, folder, **variables)
        return {
            "rate": options.rate,
            "batch": options.batch,
            "achieved_eps": round(routes["batch"]["per_second"] * options.batch, 1),
            "arrived": _arrived(running) - before,
            "routes": routes,
            "processes": used.as_json(),
        }


def main(arguments: Sequence[str]) -> int:
    """Run the bench and write its report."""
    parser = argparse.ArgumentParser(prog="./run.sh bench collect", description=__doc__)
    parser.add_argument("--rate", type=int, default=2000, help="events per second")
    parser.add_argument("--batch", type=int, default=10, help="events of one request")
    parser.add_argument("--seconds", type=int, default=120, help="how long")
    parser.add_argument("--warm-up", type=int, default=30, help="how long before")
    options = parser.parse_args(arguments)
    open_many_files()
    result = measure(options)
    people.show(f"{result['achieved_eps']} events/s in batches of {options.batch}, ms", result["routes"])
    sys.stdout.write(f"{report.write('collect', result)}\n")
    counted = result["routes"]["batch"]["requests"] * options.batch
    # Locust forgets the requests of the time in which its people come.
    return 0 if result["arrived"] >= counted and not result["routes"]["batch"]["errors"] else 1
