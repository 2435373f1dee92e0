"""A product in a warehouse: how much is there follows from a set of observations, in whatever order they came.

A shelf holds the latest count, the movements after it, and the latest sales. Two shelves that saw different things are
merged into one that saw both. The merger is a union of sets from which the same things are left out whoever merges
them, so that order, copies and repetitions cannot matter.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from include.stock.rules import Low

# The rate is that of the latest sales: of a minute where much is sold, of a day where little is.
SALES_KEPT: Final = 20
_FEWEST_SALES: Final = 3
_SALES_MS: Final = 24 * 3_600_000
_HOUR_MS: Final = 3_600_000
# Where nobody counts for long. Movements of the same shelf are never this far out of order.
MOST_MOVEMENTS: Final = 2_000


class Status(StrEnum):
    """State of a shelf, mildest first."""

    OK = "ok"
    LOW = "low"
    OUT = "out"
    OVERSOLD = "oversold"


class Count(NamedTuple):
    """Units that were there at a time (milliseconds since 1970): all movements up to it are in them."""

    at: int
    id: str
    level: int
    counted_at: int


class Movement(NamedTuple):
    """Units that came, or (below zero) went."""

    at: int
    id: str
    units: int


@dataclass(frozen=True)
class Shelf:
    """What is known of a product in a warehouse. Times are milliseconds since 1970.

    Attributes:
        counted: The latest count; None before the first one, when nobody knows how much there is.
        movements: Those after the count, in order.
        sales: The latest ones, in order, whether they are in the count or not.
        newest: Time of the newest observation.
        kafka_time: When the latest observation reached Kafka.
        category: The product's category, as soon as one was sold.
    """

    counted: Count | None = None
    movements: tuple[Movement, ...] = ()
    sales: tuple[Movement, ...] = ()
    newest: int = 0
    kafka_time: int = 0
    category: str | None = None

    @property
    def level(self) -> int | None:
        """Units that are there; below zero when more was sold."""
        return None if self.counted is None else self.counted.level + sum(one.units for one in self.movements)

    @property
    def sold_per_hour(self) -> float | None:
        """Rate of the latest sales; None when they are too few to tell."""
        if len(self.sales) < _FEWEST_SALES or self.newest <= self.sales[0].at:
            return None
        # The first one only begins the span.
        units = -sum(sale.units for sale in self.sales[1:])
        return units * _HOUR_MS / (self.newest - self.sales[0].at)

    def as_json(self) -> str:
        """As text, for ``shelf_from``."""
        lists = {"movements": [one._asdict() for one in self.movements], "sales": [one._asdict() for one in self.sales]}
        counted = self.counted._asdict() if self.counted else None
        return json.dumps(vars(self) | lists | {"counted": counted}, separators=(",", ":"))


@dataclass(frozen=True)
class Stock:
    """What a shelf comes to.

    Attributes:
        level: Units that are there.
        status: State of the shelf.
        threshold: The level at which it is low.
        sold_per_hour: Rate of the latest sales, None when they are too few.
        hours_left: When it is sold out at that rate; None when that cannot be told, or nothing is left.
    """

    level: int
    status: Status
    threshold: int
    sold_per_hour: float | None
    hours_left: float | None


def shelf_from(text: str) -> Shelf:
    """A shelf from its JSON, where what is unknown may be missing."""
    found: Mapping[str, Any] = json.loads(text)
    counted = found.get("counted")
    return Shelf(
        counted=Count(**counted) if counted else None,
        movements=_ordered(Movement(**one) for one in found.get("movements", ())),
        sales=_ordered(Movement(**one) for one in found.get("sales", ())),
        newest=found["newest"],
        kafka_time=found["kafka_time"],
        category=found.get("category"),
    )


def merged(one: Shelf, other: Shelf) -> Shelf:
    """The shelf that saw what both saw."""
    counted = max((shelf.counted for shelf in (one, other) if shelf.counted), default=None)
    newest = max(one.newest, other.newest)
    movements = _ordered(
        movement for movement in {*one.movements, *other.movements} if counted is None or movement.at > counted.at
    )
    sales = _ordered(sale for sale in {*one.sales, *other.sales} if sale.at > newest - _SALES_MS)
    if len(movements) > MOST_MOVEMENTS:
        counted, movements = _shortened(counted, movements)
    return Shelf(
        counted=counted,
        movements=movements,
        sales=sales[-SALES_KEPT:],
        newest=newest,
        kafka_time=max(one.kafka_time, other.kafka_time),
        category=max((shelf.category for shelf in (one, other) if shelf.category), default=None),
    )


def _ordered(movements: Iterable[Movement]) -> tuple[Movement, ...]:
    return tuple(sorted(movements))


def _shortened(counted: Count | None, movements: tuple[Movement, ...]) -> tuple[Count | None, tuple[Movement, ...]]:
    """The older half of the movements as if it had been counted; without a count they are of no use to anybody."""
    half = len(movements) // 2
    last = movements[half - 1].at
    older = [one for one in movements if one.at <= last]
    if counted is not None:
        level = counted.level + sum(one.units for one in older)
        counted = Count(last, older[-1].id, level, counted.counted_at)
    return counted, movements[len(older) :]


def stock_of(shelf: Shelf, product: str, low: Low) -> Stock | None:
    """What the shelf of a product comes to; None before its first count."""
    level, rate, threshold = shelf.level, shelf.sold_per_hour, low.units_of(product)
    if level is None:
        return None
    hours = level / rate if rate and level > 0 else None
    if level <= 0:
        status = Status.OVERSOLD if level < 0 else Status.OUT
    else:
        soon = hours is not None and low.hours is not None and hours <= low.hours
        status = Status.LOW if soon or level <= threshold else Status.OK
    return Stock(level, status, threshold, rate, hours)
