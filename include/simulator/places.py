"""Where the shop sells, and the warehouses that serve each country."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Country:
    """A country with customers.

    Attributes:
        warehouse: Serves all orders of the country, so that a purchase's shipping country tells whose stock it takes.
        tax: On the goods, in basis points.
        weight: Customers here, relative to the other countries.
        language: Of its customers' reviews.
    """

    code: str
    currency: str
    warehouse: str
    latitude: float
    longitude: float
    tax: int
    weight: int
    language: str


@dataclass(frozen=True, slots=True)
class Place:
    """A point far from every home country."""

    country: str
    latitude: float
    longitude: float


WAREHOUSES: Final = ("wh-berlin", "wh-leeds", "wh-dayton")

COUNTRIES: Final = (
    Country("DE", "EUR", "wh-berlin", 52.52, 13.40, 1900, 25, "de"),
    Country("FR", "EUR", "wh-berlin", 48.86, 2.35, 2000, 15, "fr"),
    Country("NL", "EUR", "wh-berlin", 52.37, 4.90, 2100, 8, "en"),
    Country("AT", "EUR", "wh-berlin", 48.21, 16.37, 2000, 6, "de"),
    Country("GB", "GBP", "wh-leeds", 51.51, -0.13, 2000, 16, "en"),
    Country("IE", "EUR", "wh-leeds", 53.35, -6.26, 2300, 4, "en"),
    Country("US", "USD", "wh-dayton", 40.71, -74.01, 825, 22, "en"),
    Country("CA", "USD", "wh-dayton", 43.65, -79.38, 1300, 4, "en"),
)

FAR_AWAY: Final = (
    Place("BR", -23.55, -46.63),
    Place("SG", 1.35, 103.82),
    Place("AU", -33.87, 151.21),
    Place("ZA", -26.20, 28.05),
    Place("JP", 35.68, 139.69),
)
