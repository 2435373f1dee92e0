"""Requests counted and timed by route, in the text format of Prometheus."""

import time
from collections import defaultdict
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_NAME: Final = "platform_api_request_seconds"


class Requests:
    """Histograms of response times by route and status; a stream counts until its first byte."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0] * (len(_BUCKETS) + 1))
        self._sums: dict[tuple[str, int], float] = defaultdict(float)

    def add(self, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        place = next((number for number, limit in enumerate(_BUCKETS) if seconds <= limit), len(_BUCKETS))
        self._counts[route, status][place] += 1
        self._sums[route, status] += seconds

    def text(self, **gauges: float) -> str:
        """All of it, for Prometheus."""
        lines = [f"# TYPE {_NAME} histogram"]
        for (route, status), counts in sorted(self._counts.items()):
            labels = f'route="{route}",status="{status}"'
            total = 0
            for limit, count in zip((*map(str, _BUCKETS), "+Inf"), counts, strict=True):
                total += count
                lines.append(f'{_NAME}_bucket{{{labels},le="{limit}"}} {total}')
            lines.append(f"{_NAME}_sum{{{labels}}} {self._sums[route, status]:.6f}")
            lines.append(f"{_NAME}_count{{{labels}}} {total}")
        for name, value in gauges.items():
            lines += [f"# TYPE platform_api_{name} gauge", f"platform_api_{name} {value:g}"]
        return "\n".join(lines) + "\n"


class Measured:
    """Middleware that times each request."""

    def __init__(self, app: ASGIApp, app_state: Any) -> None:
        self._app = app
        self._requests = app_state.requests = Requests()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and time the start of its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()

        async def timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The pattern of the route, never the address as sent: that could be anything.
                route = getattr(scope.get("route"), "path", "none")
                self._requests.add(route, message["status"], time.perf_counter() - started)
            await send(message)

        await self._app(scope, receive, timed)
