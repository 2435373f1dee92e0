"""People before dashboards, for Locust: each holds one connection, looks, thinks, and looks again.

Three in ten listen to the stream of key figures; the others ask for the series, searches and recommendations that a
dashboard shows. ``DASHBOARD_PAUSE`` is the mean of the seconds between two questions of one person.
"""

import os
import random
import time
from typing import Any, Final

from locust import FastHttpUser, constant, task

_PAUSE: Final = float(os.environ.get("DASHBOARD_PAUSE", "5"))
_PATIENCE_SECONDS: Final = 30.0
_TICK_MS: Final = 1000.0
_CUSTOMERS: Final = int(os.environ.get("DASHBOARD_CUSTOMERS", "10000"))
_WORDS: Final = ("good", "bad", "fast", "broken", "gift", "colour", "size")


class Listener(FastHttpUser):
    """Hears the key figures every second; how late each message is counts as its time."""

    weight = 3
    wait_time = constant(0)
    network_timeout = _PATIENCE_SECONDS
    connection_timeout = _PATIENCE_SECONDS

    @task
    def listen(self) -> None:
        """Until the connection ends, which it should not."""
        answer = self.client.get("/v1/kpis/stream", name="stream, opened", stream=True)
        last = time.monotonic()
        try:
            # Lines of events end with this alone.
            while line := answer.stream.readline(b"\n"):
                if not line.startswith(b"data:"):
                    continue
                now = time.monotonic()
                self._tell(max(0.0, (now - last) * 1000 - _TICK_MS), len(line), None)
                last = now
        except OSError as error:
            self._tell((time.monotonic() - last) * 1000, 0, error)

    def _tell(self, late_ms: float, size: int, error: Exception | None) -> None:
        self.environment.events.request.fire(
            request_type="GET",
            name="stream, message late by",
            response_time=late_ms,
            response_length=size,
            exception=error,
            context={},
        )


class Viewer(FastHttpUser):
    """Looks at a dashboard."""

    weight = 7
    network_timeout = _PATIENCE_SECONDS
    connection_timeout = _PATIENCE_SECONDS

    def wait_time(self) -> float:
        """As people are: from half to one and a half of the mean."""
        return random.uniform(0.5, 1.5) * _PAUSE

    def _ask(self, name: str, path: str, **parameters: Any) -> None:
        self.client.get(path, params=parameters, name=name)

    @task(3)
    def figures(self) -> None:
        """The key figures of now."""
        self._ask("key figures", "/v1/kpis", minutes=15)

    @task(4)
    def series(self) -> None:
        """Sums over time, of all or by what they are looked at."""
        dimension = random.choice(("all", "category", "country", "device"))
        self._ask("series", "/v1/kpis/series", dimension=dimension, interval="1m")

    @task(2)
    def search(self) -> None:
        """Reviews with a word."""
        self._ask("search", "/v1/events", q=random.choice(_WORDS), limit=20)

    @task(2)
    def recommendations(self) -> None:
        """What to show to one of many customers."""
        subject = f"u-{random.randrange(_CUSTOMERS):07d}"
        self._ask("recommendations", f"/v1/recommendations/user/{subject}", limit=10)
