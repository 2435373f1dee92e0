"""What is seen of a table as a whole, from counts of its rows: volume by hour, drift of shares."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, Final

# Columns of ops.observations.
SCHEMA: Final = (
    "kind string, subject string, hour timestamp, value double, usual double, ratio double, allowed double, "
    "event_date date"
)
# Days before that say what is usual, and how many of them must have the hour to say it.
BEFORE_DAYS: Final = 7
_LEAST_DAYS: Final = 3
# Fewer events say nothing: a ratio or a share of them is chance.
LEAST_IN_HOUR: Final = 20
LEAST_IN_DAY: Final = 200
# A share of which there is nothing would make the index infinite.
_LEAST_SHARE: Final = 1e-4


@dataclass(frozen=True)
class Observation:
    """One row of ``ops.observations``.

    Attributes:
        kind: ``holes``, ``dropped``, ``behind``, ``volume`` or ``drift``.
        subject: Of what.
        value: What was seen.
        hour: Of which hour, for ``volume``.
        usual: What is usual.
        allowed: What is allowed.
    """

    kind: str
    subject: str
    value: float
    hour: datetime | None = None
    usual: float | None = None
    allowed: float | None = None

    def row(self, day: date) -> tuple[Any, ...]:
        """The row, all numbers as Spark's doubles want them."""
        ratio = self.value / self.usual if self.usual else None
        numbers = (float(self.value), *(None if n is None else float(n) for n in (self.usual, ratio, self.allowed)))
        return (self.kind, self.subject, self.hour, *numbers, day)


def volume(
    hours: Mapping[datetime, int], subject: str, now: datetime, least: int = LEAST_IN_HOUR
) -> Iterator[Observation]:
    """Events of each closed hour of the last day beside the median of the same hour of the seven days before.

    Hours that fewer than three of these days have are left out: nobody knows what is usual then. An hour without any
    event counts as none.

    Args:
        hours: Events by the start of their hour.
        subject: What they are called.
        now: The present.
        least: Usual events that an hour must have.
    """
    closed = now.replace(minute=0, second=0, microsecond=0)
    for back in range(1, 25):
        hour = closed - timedelta(hours=back)
        earlier = [hours[day] for n in range(1, BEFORE_DAYS + 1) if (day := hour - timedelta(days=n)) in hours]
        usual = median(earlier) if len(earlier) >= _LEAST_DAYS else 0
        if usual >= max(least, 1):
            yield Observation("volume", subject, hours.get(hour, 0), hour=hour, usual=usual)


def drift(
    today: Mapping[Any, int], before: Mapping[Any, int], subject: str, least: int = LEAST_IN_DAY
) -> Iterator[Observation]:
    """How far the shares of a column's values today are from those of the seven days before.

    The value is the population stability index: below 0.1 nothing has changed, above 0.25 something has.

    Args:
        today: Events by value.
        before: The same of the days before together.
        subject: What they are called.
        least: Events that either must have.
    """
    all_today, all_before = sum(today.values()), sum(before.values())
    if min(all_today, all_before) < max(least, 1):
        return
    index = 0.0
    for value in {*today, *before}:
        share = max(today.get(value, 0) / all_today, _LEAST_SHARE)
        usual = max(before.get(value, 0) / all_before, _LEAST_SHARE)
        index += (share - usual) * math.log(share / usual)
    yield Observation("drift", subject, index)
