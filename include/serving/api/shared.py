"""One answer for all who ask the same within a moment."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

Value = TypeVar("Value")
# A thousand dashboards that ask once a second are one question then.
SHARED_SECONDS: Final = 0.5


class Shared(Generic[Value]):
    """Asks at most once at a time, and keeps the answer for a moment; an error is told to those who wait, not kept."""

    def __init__(self, ask: Callable[[], Awaitable[Value]], seconds: float = SHARED_SECONDS) -> None:
        self._ask = ask
        self._seconds = seconds
        self._task: asyncio.Task[Value] | None = None
        self._until = 0.0

    async def get(self) -> Value:
        """The answer, at most so many seconds old."""
        if self._task is None or (self._task.done() and time.monotonic() >= self._until):
            self._task = asyncio.create_task(self._run())
        # One who hangs up does not end it for the others.
        return await asyncio.shield(self._task)

    async def _run(self) -> Value:
        self._until = 0.0
        value = await self._ask()
        self._until = time.monotonic() + self._seconds
        return value
