"""What the shop sells: the same products at the same prices in every run."""

import random
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import Final

from include.simulator.places import COUNTRIES

_CATEGORIES: Final = (
    "books", "music", "films", "games", "toys", "kitchen", "garden", "sports", "clothing", "shoes", "beauty", "office",
)  # fmt: skip
LUXURY_CATEGORY: Final = "jewellery"
_PER_CATEGORY: Final = 42
_LUXURIES: Final = 24
# Cents. A product costs from one to two and a half times its segment's base.
SEGMENT_BASES: Final = (500, 2_000, 6_000)
LUXURY_BASE: Final = 150_000
# A choice by popularity is one look-up in a list this long.
_CHOICES: Final = 8192


@dataclass(slots=True, eq=False)
class Product:
    """A product.

    Attributes:
        number: Its place in the catalogue.
        price: Cents, the same number in each currency.
        segment: Which customers buy it; 3 is luxury, which usual customers look at but do not buy.
        popularity: Share of its segment's views and sales.
        shown: The JSON fields that show it, by currency: what follows an event's common fields in a product view.
    """

    number: int
    product_id: str
    category: str
    segment: int
    price: int
    popularity: float
    shown: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All products, and lists in which each is as frequent as it is popular."""

    products: tuple[Product, ...]
    luxuries: tuple[Product, ...]
    by_segment: tuple[tuple[Product, ...], ...]


def money(cents: int) -> str:
    """Decimal text: 1205 is ``12.05``."""
    return f"{cents // 100}.{cents % 100:02d}"


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The shop's catalogue."""
    rng = random.Random("catalogue")  # noqa: S311 - a simulation, not a secret
    products: list[Product] = []
    for category in _CATEGORIES:
        for _ in range(_PER_CATEGORY):
            segment = len(products) % len(SEGMENT_BASES)
            products.append(_product(rng, len(products), category, segment, SEGMENT_BASES[segment]))
    for _ in range(_LUXURIES):
        products.append(_product(rng, len(products), LUXURY_CATEGORY, len(SEGMENT_BASES), LUXURY_BASE))
    luxuries = tuple(product for product in products if product.category == LUXURY_CATEGORY)
    segments = tuple(
        _by_popularity([product for product in products if product.segment == segment])
        for segment in range(len(SEGMENT_BASES))
    )
    return Catalogue(tuple(products), luxuries, segments)


def _product(rng: random.Random, number: int, category: str, segment: int, base: int) -> Product:
    price = base + int(rng.random() * 1.5 * base)
    product = Product(number, f"p-{number:04d}", category, segment, price // 10 * 10 + 9, 0.0)
    for currency in {country.currency for country in COUNTRIES}:
        product.shown[currency] = (
            f',"product_id":"{product.product_id}","category":"{category}",'
            f'"unit_price":"{money(product.price)}","currency":"{currency}"'
        )
    return product


def _by_popularity(products: list[Product]) -> tuple[Product, ...]:
    weights = [1 / (rank + 5) for rank in range(len(products))]
    total = sum(weights)
    for product, weight in zip(products, weights, strict=True):
        product.popularity = weight / total
    edges = [round(share * _CHOICES) for share in accumulate(product.popularity for product in products)]
    choices: list[Product] = []
    for product, edge in zip(products, edges, strict=True):
        choices.extend([product] * (edge - len(choices)))
    return tuple(choices)
