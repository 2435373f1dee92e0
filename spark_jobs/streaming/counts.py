"""What only a query's sink knows of its micro-batches: counted where they are written, told with their progress."""

import threading
from collections import Counter, deque
from typing import Final

from include.names import Query

_RECENT_BATCHES: Final = 100


class SinkCounts:
    """Refused rows, and rows that came too late. Sinks count in their threads, the listener asks in another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rejected = 0
        self._recent: deque[tuple[int, int]] = deque(maxlen=_RECENT_BATCHES)
        self._too_late: Counter[Query] = Counter()

    def count_rejected(self, rows: int) -> None:
        """Note the refused rows of the micro-batch that is being written."""
        with self._lock:
            self._rejected = rows

    def rejected_share(self, rows: int) -> float:
        """Close a micro-batch of so many rows, and give the share of the latest ones that was refused."""
        with self._lock:
            if rows:
                self._recent.append((rows, self._rejected))
                self._rejected = 0
            read = sum(rows for rows, _ in self._recent)
            return sum(rejected for _, rejected in self._recent) / read if read else 0.0

    def count_too_late(self, query: Query, rows: int) -> None:
        """Note rows that a query leaves to the batch layer."""
        with self._lock:
            self._too_late[query] += rows

    def take_too_late(self, query: Query) -> int:
        """How many a query left since this was last asked."""
        with self._lock:
            return self._too_late.pop(query, 0)
