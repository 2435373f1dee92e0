"""The shop: makes one event for each slot, out of visits, fraud cases, stock reports and what follows orders."""

import math
import random
from collections.abc import Iterator
from dataclasses import replace
from heapq import heappop, heappush
from typing import Final, Protocol

from include.simulator.catalogue import Product, catalogue
from include.simulator.customers import Customer, population
from include.simulator.events import Event, Order, Visit
from include.simulator.faults import break_event
from include.simulator.fraud import FraudDesk
from include.simulator.options import SimulationOptions
from include.simulator.rendering import Renderer
from include.simulator.rhythm import Slots
from include.simulator.stock import Stock
from include.simulator.visits import UsualVisit, follow_up_after, plans

_INVENTORY_SHARE: Final = 0.03
_MEAN_PAUSE: Final = 4.0
_TRIES_FOR_A_CUSTOMER: Final = 4
_OUT_OF_ORDER_SECONDS: Final = 5.0
_DUPLICATE_SECONDS: Final = 30.0
_MINUTE: Final = 60_000
# Of late visits: mostly minutes (a phone in a tunnel), sometimes hours, rarely a day or two.
_LATENESS: Final = (
    (0.8, 2 * _MINUTE, 30 * _MINUTE),
    (0.97, 30 * _MINUTE, 360 * _MINUTE),
    (1.0, 1440 * _MINUTE, 2880 * _MINUTE),
)


class Actor(Protocol):
    """Whoever does one thing after the other in the shop."""

    def act(self, now: float) -> tuple[Event, float | None]:
        """Do the next thing; returns the event and the seconds until the next one, None when it was the last."""


class Shop:
    """Equal options give equal events, byte for byte; memory is bound to the customer base, not the run's length.

    Args:
        customers: A fresh ``population(options.population)``, for a caller who wants to make it beforehand.
    """

    def __init__(self, options: SimulationOptions, customers: list[Customer] | None = None) -> None:
        self._options = options
        self._rng = random.Random(options.seed)  # noqa: S311 - a simulation, not a secret
        self.roll = self._rng.random
        self.run_id = options.run_id
        self.acceleration = options.acceleration
        self.renderer = Renderer(self.run_id)
        self.catalogue = catalogue()
        self.stock = Stock(self.catalogue, options.event_rate, self._rng)
        self._customers = population(options.population) if customers is None else customers
        self._plans = plans()
        self._pauses = tuple(-math.log(1 - (step + 0.5) / 4096) * _MEAN_PAUSE for step in range(4096))
        self._fraud = FraudDesk(self)
        self._agenda: list[tuple[float, int, Actor]] = []
        self._held: list[tuple[float, int, Event]] = []
        self._entries = 0

    def events(self) -> Iterator[Event]:
        """All events in the order in which they are sent, each with its slot; what was held back comes at the end."""
        options = self._options
        slots = Slots(options.start_ms / 1000, options.event_rate, options.rhythm)
        held, end = self._held, options.end
        now = slots.next()
        while now < end:
            if held and held[0][0] <= now:
                event = heappop(held)[2]
                event.slot = now
            else:
                event = self._sent_at_once(now)
            yield event
            now = slots.next()
        while held:
            event = heappop(held)[2]
            event.slot = end
            yield event

    def _sent_at_once(self, now: float) -> Event:
        options, roll = self._options, self.roll
        while True:
            event = self._fresh(now)
            chance = roll()
            if chance < options.invalid:
                if event.visit is None or event.visit.fraud is None:
                    break_event(event, self._rng)
                return event
            chance -= options.invalid
            if chance < options.duplicates:
                self._hold(now + 0.01 + roll() * roll() * _DUPLICATE_SECONDS, replace(event, duplicate=True))
                return event
            if chance - options.duplicates >= options.out_of_order:
                return event
            event.out_of_order = True
            self._hold(now + 0.1 + roll() * _OUT_OF_ORDER_SECONDS, event)

    def _fresh(self, now: float) -> Event:
        agenda = self._agenda
        if self.roll() < _INVENTORY_SHARE:
            return self.renderer.stock_event(now, *self.stock.next_report(now))
        actor = heappop(agenda)[2] if agenda and agenda[0][0] <= now else self._enter() or heappop(agenda)[2]
        event, pause = actor.act(now)
        if pause is not None:
            self._entries += 1
            heappush(agenda, (now + pause, self._entries, actor))
        return event

    def _enter(self) -> Actor | None:
        """Somebody comes in; None when all customers asked are in the shop already."""
        roll = self.roll
        if roll() < self._options.fraud:
            return self._fraud.open_case()
        for _ in range(_TRIES_FOR_A_CUSTOMER):
            customer = self.any_customer()
            if not customer.visiting:
                customer.visiting = True
                return UsualVisit(self, self._usual_visit(customer), self._plans[int(roll() * len(self._plans))])
        # With an empty agenda nobody can be in the shop, so somebody came in above.
        return None

    def _usual_visit(self, customer: Customer) -> Visit:
        roll = self.roll
        device = customer.devices[int(roll() * len(customer.devices))]
        latitude = customer.latitude + roll() * 0.02
        longitude = customer.longitude + roll() * 0.02
        visit = self.renderer.visit(customer, device, latitude, longitude, customer.country.code)
        if self._options.late and roll() < self._options.late:
            chance = roll()
            _, low, high = next(band for band in _LATENESS if chance < band[0])
            visit.behind_ms = int(low + roll() * (high - low))
        return visit

    def _hold(self, until: float, event: Event) -> None:
        self._entries += 1
        heappush(self._held, (until, self._entries, event))

    def pause(self) -> float:
        """Seconds that a visitor takes before the next thing."""
        return self._pauses[int(self.roll() * 4096)]

    def choose_product(self, segment: int) -> Product:
        """A product that customers of the segment look at; popular ones more often."""
        choices = self.catalogue.by_segment[segment]
        return choices[int(self.roll() * len(choices))]

    def any_customer(self) -> Customer:
        """Any customer, in the shop or not."""
        return self._customers[int(self.roll() * len(self._customers))]

    def follow_up(self, now: float, visit: Visit, order: Order) -> None:
        """Plan what comes of an order."""
        planned = follow_up_after(self, visit, order)
        if planned is not None:
            self._entries += 1
            heappush(self._agenda, (now + planned[1], self._entries, planned[0]))
