"""The day or the week that a report is about, and the one it is compared with. All in UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

_HOUR = 3_600
_DAY = 86_400


class Length(StrEnum):
    """What a report covers."""

    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True)
class Period:
    """A span of whole days.

    Attributes:
        length: A day, or a week from Monday to Sunday.
        first: Its first day.
    """

    length: Length
    first: date

    @property
    def days(self) -> int:
        """How many days."""
        return 7 if self.length is Length.WEEKLY else 1

    @property
    def since(self) -> datetime:
        """Its start."""
        return datetime(self.first.year, self.first.month, self.first.day, tzinfo=UTC)

    @property
    def until(self) -> datetime:
        """Its end, not included."""
        return self.since + timedelta(days=self.days)

    @property
    def before(self) -> "Period":
        """The one before."""
        return Period(self.length, self.first - timedelta(days=self.days))

    @property
    def bucket_seconds(self) -> int:
        """Width of one point of its charts."""
        return _DAY if self.length is Length.WEEKLY else _HOUR

    @property
    def name(self) -> str:
        """Name of its report, for example ``daily-2026-11-24``."""
        return f"{self.length.value}-{self.first.isoformat()}"

    @property
    def title(self) -> str:
        """For people."""
        last = self.until.date() - timedelta(days=1)
        if self.length is Length.DAILY:
            return f"{self.first:%A, %d %B %Y}"
        return f"week from {self.first:%d %B} to {last:%d %B %Y}"


def period_of(length: Length, day: date) -> Period:
    """The period that holds a day."""
    return Period(length, day - timedelta(days=day.weekday()) if length is Length.WEEKLY else day)


def last_complete(length: Length, now: datetime) -> Period:
    """The newest period that is over."""
    return period_of(length, now.astimezone(UTC).date()).before
