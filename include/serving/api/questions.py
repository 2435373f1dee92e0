"""What may be asked: parameters of the API, bounded, with unknown ones refused."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

MAX_BUCKETS: Final = 10_000
MAX_PAGE: Final = 200
_DEFAULT_RANGE: Final = timedelta(hours=1)

Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_.@ -]+$")]


class Interval(StrEnum):
    """Width of a bucket; speed and batch documents hold ten seconds."""

    TEN_SECONDS = "10s"
    MINUTE = "1m"
    FIVE_MINUTES = "5m"
    QUARTER = "15m"
    HOUR = "1h"
    DAY = "1d"

    @property
    def seconds(self) -> int:
        """Length in seconds."""
        return int(self.value[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86_400}[self.value[-1]]


class Question(BaseModel):
    """Base of all: what is not known is refused, so that a typing error is no silent "no filter"."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Ranged(Question):
    """A range of time; by default the last hour."""

    since: AwareDatetime | None = Field(None, description="Start, with a time zone.", examples=["2026-03-04T12:00:00Z"])
    until: AwareDatetime | None = Field(None, description="End (not included); now by default.")

    @model_validator(mode="after")
    def _in_order(self) -> "Ranged":
        since, until = self.span(datetime.now(UTC))
        if since >= until:
            raise ValueError(f"since ({since.isoformat()}) must be before until ({until.isoformat()})")
        return self

    def span(self, now: datetime) -> tuple[datetime, datetime]:
        """Start and end."""
        until = self.until or now
        return self.since or until - _DEFAULT_RANGE, until


class SeriesQuestion(Ranged):
    """A time series of sums."""

    interval: Interval = Field(Interval.MINUTE, description="Width of a bucket.")
    dimension: Literal["all", "event_type", "product", "category", "country", "device"] = "all"
    value: list[Name] = Field([], max_length=50, description="Only these values of the dimension.")
    top: int = Field(10, ge=1, le=100, description="How many values at most, those with most events first.")

    @model_validator(mode="after")
    def _bounded(self) -> "SeriesQuestion":
        since, until = self.span(datetime.now(UTC))
        values = 1 if self.dimension == "all" else len(self.value) or self.top
        buckets = (int((until - since).total_seconds()) // self.interval.seconds + 1) * values
        if buckets > MAX_BUCKETS:
            raise ValueError(
                f"{buckets} buckets are more than {MAX_BUCKETS}: shorten the range, widen interval or lower top"
            )
        return self


class RatingsQuestion(Ranged):
    """Ratings by product."""

    product_id: list[Name] = Field([], max_length=50, description="Only these products.")
    top: int = Field(10, ge=1, le=100, description="How many products at most.")
    sort: Literal["-reviews", "rating", "-rating"] = "-reviews"


class Paged(Question):
    """A page of documents."""

    limit: int = Field(20, ge=1, le=MAX_PAGE, description="Documents in a page.")
    cursor: str | None = Field(None, max_length=4000, description="The answer's next_cursor, for the next page.")


class EventQuestion(Paged, Ranged):
    """A search over events; filters are combined with and."""

    q: str | None = Field(None, min_length=1, max_length=200, description="Words in a review or a search of the shop.")
    event_type: list[Name] = Field([], max_length=20)
    topic: Name | None = None
    user_id: Name | None = None
    session_id: Name | None = None
    order_id: Name | None = None
    product_id: Name | None = None
    category: Name | None = None
    country: Name | None = None
    currency: Name | None = None
    rating_min: int | None = Field(None, ge=1, le=5)
    rating_max: int | None = Field(None, ge=1, le=5)
    sort: Literal["event_time", "-event_time", "total_minor", "-total_minor", "rating", "-rating"] = "-event_time"


class FraudQuestion(Paged, Ranged):
    """Fraud alerts, newest first."""

    severity: Name | None = None
    rule: Name | None = None
    user_id: Name | None = None
    order_id: Name | None = None


class StockQuestion(Paged):
    """Stock, lowest level first."""

    product_id: Name | None = None
    category: Name | None = None
    warehouse_id: Name | None = None
    status: Name | None = None


class HealthQuestion(Paged, Ranged):
    """Observations of the platform, newest first."""

    kind: Name | None = None
    subject: Name | None = None
    status: Name | None = None
