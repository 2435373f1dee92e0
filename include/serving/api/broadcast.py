"""Key figures for any number of listeners: one look at Elasticsearch per tick, and none without a listener."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from include.errors import PlatformError

TICK_SECONDS: Final = 1.0


class Broadcast:
    """Asks while somebody listens; a slow listener misses ticks and never makes others wait."""

    def __init__(self, ask: Callable[[], Awaitable[dict[str, Any]]], tick_seconds: float = TICK_SECONDS) -> None:
        self._ask = ask
        self._tick_seconds = tick_seconds
        self._told = asyncio.Condition()
        self._message = b""
        self._number = 0
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self.listeners = 0

    async def listen(self) -> AsyncIterator[bytes]:
        """Messages as server-sent events, from the next tick on."""
        self.listeners += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        seen = self._number
        try:
            while not self._closed:
                async with self._told:
                    await self._told.wait_for(lambda: self._number > seen or self._closed)  # noqa: B023
                    seen, message = self._number, self._message
                if not self._closed:
                    yield message
        finally:
            self.listeners -= 1

    async def close(self) -> None:
        """End every listener's stream."""
        self._closed = True
        async with self._told:
            self._told.notify_all()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while self.listeners and not self._closed:
            started = asyncio.get_running_loop().time()
            try:
                event, data = "kpis", await self._ask()
            except PlatformError as error:
                event, data = "unavailable", {"error": str(error)}
            async with self._told:
                self._number += 1
                self._message = f"id: {self._number}\nevent: {event}\ndata: {json.dumps(data)}\n\n".encode()
                self._told.notify_all()
            elapsed = asyncio.get_running_loop().time() - started
            await asyncio.sleep(max(0.0, self._tick_seconds - elapsed))
