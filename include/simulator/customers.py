"""The shop's customers: each has a home, one or two devices, one or two cards and usual amounts, in every run."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from include.simulator.catalogue import SEGMENT_BASES
from include.simulator.places import COUNTRIES, Country

_DEVICE_TYPES: Final = ("mobile", "mobile", "mobile", "desktop", "desktop", "tablet")
# A usual order: 1.6 units at 1.75 times the segment's base price, and tax and shipping on top.
_USUAL_ORDER_IN_BASES: Final = 3.4


@dataclass(slots=True)
class Device:
    """A device; it belongs to one customer."""

    device_id: str
    device_type: str


@dataclass(slots=True, eq=False)
class Customer:
    """A customer and what is usual for them.

    Attributes:
        segment: Price segment of what they buy.
        latitude: Of their home; visits happen within a few kilometres of it.
        visiting: Whether they are in the shop now: nobody makes two usual visits at once.
    """

    user_id: str
    key: bytes
    country: Country
    latitude: float
    longitude: float
    devices: tuple[Device, ...]
    cards: tuple[str, ...]
    method: str
    segment: int
    visiting: bool = False

    @property
    def usual_order(self) -> int:
        """About what an order of theirs comes to, in cents; none of their own exceeds four times that."""
        return int(SEGMENT_BASES[self.segment] * _USUAL_ORDER_IN_BASES)


def population(size: int) -> list[Customer]:
    """The first customers; a larger population begins with the same ones."""
    rng = random.Random("customers")  # noqa: S311 - a simulation, not a secret
    homes = [country for country in COUNTRIES for _ in range(country.weight)]
    return [_customer(rng.random, number, homes) for number in range(size)]


def _customer(roll: Callable[[], float], number: int, homes: list[Country]) -> Customer:
    # Always six draws, so that who a customer is does not depend on those before.
    home = homes[int(roll() * len(homes))]
    latitude = round(home.latitude + roll() - 0.5, 4)
    longitude = round(home.longitude + roll() - 0.5, 4)
    first_type = int(roll() * len(_DEVICE_TYPES))
    kind, segment = roll(), roll()
    user_id = f"u-{number:07d}"
    devices = [Device(f"d-{number:07d}-1", _DEVICE_TYPES[first_type])]
    if kind < 0.4:
        devices.append(Device(f"d-{number:07d}-2", _DEVICE_TYPES[(first_type + 3) % len(_DEVICE_TYPES)]))
    cards = [f"c-{number:07d}-1"]
    if 0.3 < kind < 0.6:
        cards.append(f"c-{number:07d}-2")
    method = "card" if kind < 0.75 else "wallet" if kind < 0.9 else "invoice"
    return Customer(
        user_id=user_id,
        key=user_id.encode(),
        country=home,
        latitude=latitude,
        longitude=longitude,
        devices=tuple(devices),
        cards=tuple(cards),
        method=method,
        segment=0 if segment < 0.4 else 1 if segment < 0.8 else 2,
    )
