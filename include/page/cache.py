"""Answers that are kept for a moment, so that a hundred open pages cost the search store as much as one."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_MOST_KEYS: Final = 64


@dataclass(frozen=True)
class _Kept(Generic[T]):
    value: T
    made_at: float


class Cached(Generic[T]):
    """Computes a value at most once in a span of time for each key, in one thread; the others get the previous value.

    Args:
        seconds: How long a value is good.
        clock: Seconds that only grow.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._kept: dict[str, _Kept[T]] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def get(self, key: str, compute: Callable[[], T]) -> T:
        """The value of a key. An error of ``compute`` goes to the caller that computed, and nothing is kept."""
        with self._guard:
            kept = self._kept.get(key)
            if kept is not None and self._clock() - kept.made_at < self._seconds:
                return kept.value
            lock = self._locks.setdefault(key, threading.Lock())
        # Whoever has something to show does not wait for the one who computes.
        if not lock.acquire(blocking=kept is None):
            assert kept is not None
            return kept.value
        try:
            with self._guard:
                fresh = self._kept.get(key)
            if fresh is not None and self._clock() - fresh.made_at < self._seconds:
                return fresh.value
            value = compute()
            with self._guard:
                if len(self._kept) >= _MOST_KEYS:
                    self._kept.clear()
                self._kept[key] = _Kept(value, self._clock())
            return value
        finally:
            lock.release()
