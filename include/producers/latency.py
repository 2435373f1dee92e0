"""A histogram of latencies, exact to a tenth of a millisecond up to ten seconds."""

from typing import Final

_STEPS_PER_SECOND: Final = 10_000
_STEPS: Final = 10 * _STEPS_PER_SECOND


class LatencyHistogram:
    """Counts latencies; memory does not grow with their number."""

    def __init__(self) -> None:
        self._counts = [0] * (_STEPS + 1)
        self.count = 0
        self.maximum = 0.0

    def add(self, seconds: float) -> None:
        """Count one; what is beyond ten seconds counts as ten, and shows in the maximum."""
        step = int(seconds * _STEPS_PER_SECOND)
        self._counts[step if step < _STEPS else _STEPS] += 1
        self.count += 1
        if seconds > self.maximum:
            self.maximum = seconds

    def percentile_ms(self, percent: float) -> float | None:
        """The latency, in milliseconds, that this share of those counted does not exceed; None when there are none."""
        if not self.count:
            return None
        wanted = self.count * percent / 100
        seen = 0
        for step, count in enumerate(self._counts):
            seen += count
            if seen >= wanted and count:
                return (step + 1) * 1000 / _STEPS_PER_SECOND
        return self.maximum * 1000
