"""Fraud cases, each of one labelled kind. Nothing that they do is done by a usual visit."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from include.simulator.catalogue import Product
from include.simulator.customers import Customer, Device
from include.simulator.events import Event, FraudKind, Line, Order, Visit
from include.simulator.places import FAR_AWAY
from include.simulator.visits import priced

if TYPE_CHECKING:
    from include.simulator.shop import Shop

# Tokens of cards that are known to be stolen: for the list of blocked cards in the fraud rules.
BLOCKED_CARDS: Final = tuple(f"c-blocked-{number}" for number in range(1, 6))
_UNUSUAL_TOTAL: Final = 600_000
_TIMES_USUAL: Final = 16
_ABSURD_QUANTITY: Final = 500

# One act of a case, and how many seconds later the next one follows.
Act = tuple[Callable[[float], Event], float]


class FraudCase:
    """A case under way."""

    __slots__ = ("_acts",)

    def __init__(self, acts: list[Act]) -> None:
        self._acts = iter(_with_ends(acts))

    def act(self, now: float) -> tuple[Event, float | None]:
        """Do the next thing.

        Returns:
            The event, and the seconds until the case's next one; None when it ends.
        """
        do, pause = next(self._acts)
        return do(now), pause


def _with_ends(acts: list[Act]) -> Iterator[tuple[Callable[[float], Event], float | None]]:
    for number, (do, pause) in enumerate(acts, start=1):
        yield do, pause if number < len(acts) else None


class FraudDesk:
    """Opens fraud cases of all kinds in turn."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._opened = 0
        self._kinds: tuple[tuple[FraudKind, Callable[[str], list[Act]]], ...] = (
            (FraudKind.CARD_TESTING, self._card_testing),
            (FraudKind.ACCOUNT_TAKEOVER, self._account_takeover),
            (FraudKind.UNUSUAL_AMOUNT, self._unusual_amount),
            (FraudKind.IMPOSSIBLE_TRAVEL, self._impossible_travel),
            (FraudKind.DEVICE_SHARING, self._device_sharing),
            (FraudKind.COUNTRY_MISMATCH, self._country_mismatch),
            (FraudKind.BLOCKED_CARD, self._blocked_card),
            (FraudKind.ABSURD_QUANTITY, self._absurd_quantity),
        )

    def open_case(self) -> FraudCase:
        """The next case."""
        kind, acts = self._kinds[self._opened % len(self._kinds)]
        self._opened += 1
        return FraudCase(acts(f"{kind}-{self._shop.run_id}-{self._opened}"))

    def _visit(self, kind: FraudKind, case: str, customer: Customer, device: Device | None = None) -> Visit:
        visit = self._shop.renderer.visit(
            customer, device or customer.devices[0], customer.latitude, customer.longitude, customer.country.code
        )
        visit.fraud, visit.case = kind, case
        return visit

    def _say(self, visit: Visit, event_type: str, pause: float = 5.0, fields: str = "") -> Act:
        return lambda now: self._shop.renderer.user_event(now, visit, event_type, fields), pause

    def _cart(self, visit: Visit, line: Line, pause: float = 5.0) -> list[Act]:
        show = self._shop.renderer.product_event
        return [
            (lambda now: show(now, visit, "product_view", line.product, None), pause),
            (lambda now: show(now, visit, "add_to_cart", line.product, line.quantity), pause),
            self._say(visit, "checkout_started", pause, ',"page":"/checkout"'),
        ]

    def _buy(self, visit: Visit, order: Order, pause: float = 5.0) -> Act:
        return lambda now: self._shop.renderer.order_event(now, visit, "order_placed", order), pause

    def _order(self, customer: Customer, line: Line, card: str | None = None) -> Order:
        order_id = self._shop.renderer.next_order_id()
        return priced(order_id, [line], customer.country, "card", card or customer.cards[0])

    def _luxury(self) -> Product:
        luxuries = self._shop.catalogue.luxuries
        return luxuries[int(self._shop.roll() * len(luxuries))]

    def _between(self, low: int, high: int) -> int:
        return low + int(self._shop.roll() * (high - low + 1))

    def _card_testing(self, case: str) -> list[Act]:
        """One new device tries many cards with small orders, seconds apart."""
        customer = self._shop.any_customer()
        visit = self._visit(FraudKind.CARD_TESTING, case, customer, Device(f"d-{case}", "desktop"))
        cheapest = min(self._shop.catalogue.products, key=lambda product: product.price)
        orders = [
            self._order(customer, Line(cheapest, 1), card=f"c-{case}-{number}")
            for number in range(self._between(8, 14))
        ]
        for order in orders:
            order.total, order.shipping = order.total - order.shipping, 0
        return [self._say(visit, "session_start"), *(self._buy(visit, order, 4.0) for order in orders)]

    def _account_takeover(self, case: str) -> list[Act]:
        """A log-in from a device that the customer never used, a new address, then a dear order."""
        customer = self._shop.any_customer()
        visit = self._visit(FraudKind.ACCOUNT_TAKEOVER, case, customer, Device(f"d-{case}", "desktop"))
        line = Line(self._luxury(), 1)
        return [
            self._say(visit, "session_start"),
            self._say(visit, "login"),
            self._say(visit, "address_changed", 8.0, ',"page":"/account"'),
            *self._cart(visit, line),
            self._buy(visit, self._order(customer, line)),
        ]

    def _unusual_amount(self, case: str) -> list[Act]:
        """An order many times as dear as any that the customer made."""
        customer = self._shop.any_customer()
        visit = self._visit(FraudKind.UNUSUAL_AMOUNT, case, customer)
        product = self._luxury()
        wanted = max(_UNUSUAL_TOTAL, customer.usual_order * _TIMES_USUAL)
        line = Line(product, -(-wanted // product.price))
        order = self._order(customer, line)
        return [self._say(visit, "session_start"), *self._cart(visit, line), self._buy(visit, order)]

    def _impossible_travel(self, case: str) -> list[Act]:
        """At home, and two minutes later thousands of kilometres away."""
        customer = self._shop.any_customer()
        home = self._visit(FraudKind.IMPOSSIBLE_TRAVEL, case, customer)
        place = FAR_AWAY[int(self._shop.roll() * len(FAR_AWAY))]
        away = self._shop.renderer.visit(customer, customer.devices[0], place.latitude, place.longitude, place.country)
        away.fraud, away.case = FraudKind.IMPOSSIBLE_TRAVEL, case
        return [
            self._say(home, "session_start"),
            self._say(home, "login", 120.0),
            self._say(away, "session_start"),
            self._say(away, "login"),
            self._say(away, "page_view", 5.0, ',"page":"/account"'),
        ]

    def _device_sharing(self, case: str) -> list[Act]:
        """One new device enters many accounts."""
        device = Device(f"d-{case}", "mobile")
        acts: list[Act] = []
        for _ in range(self._between(6, 9)):
            visit = self._visit(FraudKind.DEVICE_SHARING, case, self._shop.any_customer(), device)
            # The thief's place is the owner's, as the accounts were chosen by it: no impossible travel beside.
            acts += [self._say(visit, "session_start", 3.0), self._say(visit, "login", 15.0)]
        return acts

    def _country_mismatch(self, case: str) -> list[Act]:
        """A dear order that is billed at home and goes to another continent."""
        customer = self._shop.any_customer()
        visit = self._visit(FraudKind.COUNTRY_MISMATCH, case, customer)
        line = Line(self._luxury(), 1)
        place = FAR_AWAY[int(self._shop.roll() * len(FAR_AWAY))]
        order = replace(self._order(customer, line), shipping_country=place.country)
        return [self._say(visit, "session_start"), *self._cart(visit, line), self._buy(visit, order)]

    def _blocked_card(self, case: str) -> list[Act]:
        """A usual order with a card that is known to be stolen."""
        customer = self._shop.any_customer()
        visit = self._visit(FraudKind.BLOCKED_CARD, case, customer)
        line = Line(self._shop.choose_product(customer.segment), 1)
        card = BLOCKED_CARDS[int(self._shop.roll() * len(BLOCKED_CARDS))]
        order = self._order(customer, line, card)
        return [self._say(visit, "session_start"), *self._cart(visit, line), self._buy(visit, order)]

    def _absurd_quantity(self, case: str) -> list[Act]:
        """Hundreds of one product."""
        customer = self._shop.any_customer()
        visit = self._visit(FraudKind.ABSURD_QUANTITY, case, customer)
        line = Line(self._shop.choose_product(0), self._between(_ABSURD_QUANTITY, 2 * _ABSURD_QUANTITY))
        return [
            self._say(visit, "session_start"),
            *self._cart(visit, line),
            self._buy(visit, self._order(customer, line)),
        ]
