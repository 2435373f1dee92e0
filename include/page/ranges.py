"""The ranges of time that the page offers, each with the width of its points."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final


@dataclass(frozen=True)
class Range:
    """One choice.

    Attributes:
        name: As the page sends it.
        span: How far back it reaches.
        bucket_seconds: Width of one point of its charts; about a hundred points make a chart.
        kpi_minutes: Span of the key figures beside it: users and sessions are distinct counts of at most an hour.
        cache_seconds: How long its charts are kept.
    """

    name: str
    span: timedelta
    bucket_seconds: int
    kpi_minutes: int
    cache_seconds: float

    def bounds(self, now: datetime) -> tuple[datetime, datetime]:
        """Start on a whole bucket, and now."""
        start = (now - self.span).timestamp()
        return datetime.fromtimestamp(start - start % self.bucket_seconds, UTC), now


RANGES: Final = {
    found.name: found
    for found in (
        Range("15m", timedelta(minutes=15), 10, 15, 1.5),
        Range("1h", timedelta(hours=1), 60, 60, 1.5),
        Range("6h", timedelta(hours=6), 300, 60, 2),
        Range("24h", timedelta(hours=24), 900, 60, 5),
        Range("7d", timedelta(days=7), 7_200, 60, 15),
        Range("8w", timedelta(days=56), 86_400, 60, 30),
    )
}
DEFAULT: Final = "1h"
