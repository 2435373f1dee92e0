"""The load generator of the benches, in a process of its own: the simulator, paced by the clock."""

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from include.config import PROJECT_ROOT, load_settings
from include.producers.sender import Sender
from include.producers.stopping import stop_on_signals
from include.producers.traffic import Traffic
from include.simulator.options import SimulationOptions
from include.supervision.spark_submit import settings_environment
from tests.stack import Stack


@dataclass(frozen=True)
class Load:
    """What the generator did.

    Attributes:
        report: The producer's own report, with the latencies of acknowledgements.
        begun: When its schedule begins, Unix seconds.
        rate: Events per second.
    """

    report: dict[str, Any]
    begun: float
    rate: float

    def due(self, number: int) -> float:
        """When the n-th event was to be made: by the schedule, so that a generator that falls behind shows."""
        return self.begun + number / self.rate


class Generator:
    """A running generator.

    Args:
        stack: The platform to load.
        rate: Events per second.
        seconds: How long.
        seed: Decides what happens in the shop.
    """

    def __init__(self, stack: Stack, rate: float, seconds: float, seed: int) -> None:
        self._result = stack.settings.platform_data_dir / f"load-{seed}.json"
        arguments = [str(rate), str(seconds), str(seed), str(self._result)]
        self._process = Popen(
            [sys.executable, "-m", "tests.performance.load", *arguments],
            cwd=PROJECT_ROOT,
            env={**os.environ, **settings_environment(stack.settings)},
            stderr=PIPE,
            text=True,
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it still sends."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Ask it to end before its time."""
        self._process.terminate()

    def wait(self) -> Load:
        """Wait for its end."""
        _, errors = self._process.communicate()
        if self._process.returncode:
            raise RuntimeError(f"the load generator ended with {self._process.returncode}: {errors}")
        content = json.loads(self._result.read_text(encoding="utf-8"))
        return Load(**content)


def main(rate: float, seconds: float, seed: int, result: Path) -> None:
    """Send, and write report and curve."""
    options = SimulationOptions(start_ms=int(time.time() * 1000), rate=rate, duration=seconds, seed=seed)
    with stop_on_signals() as stopped:
        sender = Sender(load_settings(), stopped)
        sender.connect(30)
        traffic = Traffic(options, sender, None, stopped)
        report = traffic.run()
    begun = time.time() - (time.monotonic() - report.begun)
    result.write_text(json.dumps({"report": report.as_json(), "begun": begun, "rate": rate}), encoding="utf-8")


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
