"""The shop's stock: it sells out, is refilled, counted, moved and now and then broken."""

import random
from collections import deque
from heapq import heappop, heappush
from typing import Final

from include.simulator.catalogue import Catalogue, Product
from include.simulator.events import StockChange
from include.simulator.places import WAREHOUSES

# A product's stock covers about this many seconds of demand, so that the popular ones sell out now and then.
_COVER_SECONDS: Final = 300
_SMALLEST_STOCK: Final = 10
_REFILL_SECONDS: Final = (20.0, 120.0)
_UNITS_PER_EVENT: Final = 0.05
_CORRECTIONS: Final = 0.1
# A day's backlog of goods sent back; what comes beyond it is put on the shelf without a report of its own.
_MOST_WAITING: Final = 10_000


class Stock:
    """Units of each product in each warehouse, and what warehouses report about them."""

    def __init__(self, catalogue: Catalogue, event_rate: float, rng: random.Random) -> None:
        self._products = catalogue.products
        self._rng = rng
        demand = event_rate * _UNITS_PER_EVENT * _COVER_SECONDS / (3 * len(WAREHOUSES))
        self._full = [_SMALLEST_STOCK + int(product.popularity * demand) for product in self._products]
        self._levels = {warehouse: list(self._full) for warehouse in WAREHOUSES}
        self._refills: list[tuple[float, int, str]] = []
        self._awaited: set[tuple[int, str]] = set()
        self._arrived: deque[tuple[Product, StockChange]] = deque()
        self._next_count = 0

    def level(self, product: Product, warehouse: str) -> int:
        """Units there."""
        return self._levels[warehouse][product.number]

    def take(self, now: float, product: Product, warehouse: str, quantity: int) -> bool:
        """Sell some, where there are enough; what runs low is ordered anew."""
        levels = self._levels[warehouse]
        number = product.number
        if levels[number] < quantity:
            self._order(now, number, warehouse)
            return False
        levels[number] -= quantity
        if levels[number] * 4 < self._full[number]:
            self._order(now, number, warehouse)
        return True

    def take_back(self, product: Product, warehouse: str, quantity: int) -> None:
        """Put goods that a customer sent back on the shelf; the warehouse reports it at its next turn."""
        if len(self._arrived) < _MOST_WAITING:
            self._arrived.append((product, StockChange(warehouse, None, quantity, "return")))

    def next_report(self, now: float) -> tuple[Product, StockChange]:
        """What a warehouse reports now: goods that arrived, else a count, else a correction. It holds from now on."""
        if self._arrived:
            product, change = self._arrived.popleft()
            return self._apply(product, change)
        if self._refills and self._refills[0][0] <= now:
            _, number, warehouse = heappop(self._refills)
            self._awaited.discard((number, warehouse))
            return self._apply(self._products[number], StockChange(warehouse, None, self._full[number], "refill"))
        number, place = divmod(self._next_count, len(WAREHOUSES))
        self._next_count = (self._next_count + 1) % (len(self._products) * len(WAREHOUSES))
        product, warehouse = self._products[number], WAREHOUSES[place]
        level = self._levels[warehouse][number]
        if level > 1 and self._rng.random() < _CORRECTIONS:
            return self._correct(product, warehouse)
        return product, StockChange(warehouse, level, None, "count")

    def _correct(self, product: Product, warehouse: str) -> tuple[Product, StockChange]:
        roll = self._rng.random()
        if roll < 0.4:
            return self._apply(product, StockChange(warehouse, None, -1, "damage"))
        if roll < 0.7:
            return self._apply(product, StockChange(warehouse, None, 1 if roll < 0.55 else -1, "correction"))
        other = WAREHOUSES[(WAREHOUSES.index(warehouse) + 1) % len(WAREHOUSES)]
        self._arrived.append((product, StockChange(other, None, 1, "transfer")))
        return self._apply(product, StockChange(warehouse, None, -1, "transfer"))

    def _apply(self, product: Product, change: StockChange) -> tuple[Product, StockChange]:
        self._levels[change.warehouse][product.number] += change.delta or 0
        return product, change

    def _order(self, now: float, number: int, warehouse: str) -> None:
        if (number, warehouse) in self._awaited:
            return
        self._awaited.add((number, warehouse))
        heappush(self._refills, (now + self._rng.uniform(*_REFILL_SECONDS), number, warehouse))
