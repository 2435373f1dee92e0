"""One answer for all who ask the same within a moment."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
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


class SharedByQuestion(Generic[Value]):
    """Shares the answer to each question; of those asked long ago it forgets.

    Args:
        most: How many questions it knows at a time.
    """

    def __init__(self, most: int = 500) -> None:
        self._most = most
        self._known: OrderedDict[Hashable, Shared[Value]] = OrderedDict()

    async def get(self, question: Hashable, ask: Callable[[], Awaitable[Value]]) -> Value:
        """The answer; ``ask`` is called where nobody asked the same a moment ago."""
        if question not in self._known:
            self._known[question] = Shared(ask)
        self._known.move_to_end(question)
        if len(self._known) > self._most:
            # Who waits for it holds it.
            self._known.popitem(last=False)
        return await self._known[question].get()
