"""Usual visits: customers look around, search, fill carts, leave them or buy, send goods back and write reviews."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from include.simulator.catalogue import Product
from include.simulator.events import Event, Line, Order, Visit
from include.simulator.places import Country

if TYPE_CHECKING:
    from include.simulator.shop import Shop

_MOST_UNITS: Final = 4
_TWO_UNITS: Final = 0.1
_REVIEWED: Final = 0.32
_RETURNED: Final = 0.07
_REVIEW_SECONDS: Final = 30.0
_RETURN_SECONDS: Final = 60.0
_FREE_SHIPPING: Final = 5_000
_SHIPPING: Final = 490
_DISCOUNTED: Final = 0.15
# Three of four customers who begin a checkout end it.
_PLANS: Final = (
    ("start view view search view", 14),
    ("start search view view search view view", 12),
    ("start page view", 10),
    ("start login page page", 4),
    ("start view search view view add view", 9),
    ("start search view add view add view", 5),
    ("start view add remove view", 4),
    ("start login view view add checkout", 4),
    ("start search view view add checkout page", 3),
    ("start search view add checkout order", 10),
    ("start login view search view view add view add checkout order", 7),
    ("start view search view add view remove add checkout order page", 3),
    ("start login search view add view add view add checkout order", 3),
    ("start login page address page view", 1),
)


def plans() -> tuple[tuple[str, ...], ...]:
    """The courses that a visit can take, each as often as it is likely."""
    return tuple(tuple(text.split()) for text, weight in _PLANS for _ in range(weight))


class UsualVisit:
    """A customer's visit under way."""

    __slots__ = ("_cart", "_next", "_order", "_plan", "_seen", "_shop", "_visit")

    def __init__(self, shop: "Shop", visit: Visit, plan: tuple[str, ...]) -> None:
        self._shop = shop
        self._visit = visit
        self._plan = plan
        self._next = 0
        self._cart: list[Line] = []
        self._seen: Product | None = None
        self._order: Order | None = None

    def act(self, now: float) -> tuple[Event, float | None]:
        """Do the next thing.

        Returns:
            The event, and the seconds until the visit's next one; None when it ends.
        """
        event = _STEPS[self._plan[self._next]](self, now)
        self._next += 1
        if self._next < len(self._plan):
            return event, self._shop.pause()
        self._visit.customer.visiting = False
        if self._order is not None:
            self._shop.follow_up(now, self._visit, self._order)
        return event, None

    def _start(self, now: float) -> Event:
        return self._shop.renderer.user_event(now, self._visit, "session_start")

    def _login(self, now: float) -> Event:
        return self._shop.renderer.user_event(now, self._visit, "login")

    def _address(self, now: float) -> Event:
        return self._shop.renderer.user_event(now, self._visit, "address_changed", ',"page":"/account"')

    def _page(self, now: float) -> Event:
        return self._shop.renderer.page_view(now, self._visit, self._shop.roll())

    def _search(self, now: float) -> Event:
        return self._shop.renderer.search(now, self._visit, self._shop.roll())

    def _view(self, now: float) -> Event:
        product = self._seen = self._shop.choose_product(self._visit.customer.segment)
        return self._shop.renderer.product_event(now, self._visit, "product_view", product, None)

    def _add(self, now: float) -> Event:
        product = self._seen
        units = sum(line.quantity for line in self._cart)
        warehouse = self._visit.customer.country.warehouse
        if product is None or units >= _MOST_UNITS or self._shop.stock.level(product, warehouse) < 1:
            return self._view(now)
        quantity = 2 if units < _MOST_UNITS - 1 and self._shop.roll() < _TWO_UNITS else 1
        self._cart.append(Line(product, quantity))
        return self._shop.renderer.product_event(now, self._visit, "add_to_cart", product, quantity)

    def _remove(self, now: float) -> Event:
        if not self._cart:
            return self._view(now)
        line = self._cart.pop()
        return self._shop.renderer.product_event(now, self._visit, "remove_from_cart", line.product, line.quantity)

    def _checkout(self, now: float) -> Event:
        if not self._cart:
            return self._view(now)
        return self._shop.renderer.user_event(now, self._visit, "checkout_started", ',"page":"/checkout"')

    def _place_order(self, now: float) -> Event:
        shop, customer = self._shop, self._visit.customer
        take = shop.stock.take
        lines = [line for line in self._cart if take(now, line.product, customer.country.warehouse, line.quantity)]
        if not lines:
            return shop.renderer.user_event(now, self._visit, "page_view", ',"page":"/sold-out"')
        card = customer.cards[int(shop.roll() * len(customer.cards))] if customer.method == "card" else None
        discounted = shop.roll() < _DISCOUNTED
        self._order = priced(shop.renderer.next_order_id(), lines, customer.country, customer.method, card, discounted)
        return shop.renderer.order_event(now, self._visit, "order_placed", self._order)


_STEPS: Final[dict[str, Callable[[UsualVisit, float], Event]]] = {
    "start": UsualVisit._start,
    "login": UsualVisit._login,
    "address": UsualVisit._address,
    "page": UsualVisit._page,
    "search": UsualVisit._search,
    "view": UsualVisit._view,
    "add": UsualVisit._add,
    "remove": UsualVisit._remove,
    "checkout": UsualVisit._checkout,
    "order": UsualVisit._place_order,
}


def priced(
    order_id: str, lines: list[Line], home: Country, method: str, card_id: str | None, discounted: bool = False
) -> Order:
    """An order to a customer's home: the total is the sum of the lines - discount + tax + shipping, to the cent."""
    goods = sum(line.amount for line in lines)
    discount = goods // 10 if discounted else 0
    tax = ((goods - discount) * home.tax + 5_000) // 10_000
    shipping = 0 if goods >= _FREE_SHIPPING else _SHIPPING
    return Order(
        order_id=order_id,
        lines=lines,
        currency=home.currency,
        discount=discount,
        tax=tax,
        shipping=shipping,
        total=goods - discount + tax + shipping,
        method=method,
        card_id=card_id,
        shipping_country=home.code,
        billing_country=home.code,
    )


class FollowUp:
    """What comes of an order some time later: a review, or the goods sent back."""

    __slots__ = ("_order", "_returns", "_shop", "_visit")

    def __init__(self, shop: "Shop", visit: Visit, order: Order, returns: bool) -> None:
        self._shop = shop
        self._visit = visit
        self._order = order
        self._returns = returns

    def act(self, now: float) -> tuple[Event, float | None]:
        """The one event, which ends it."""
        shop, order = self._shop, self._order
        if self._returns:
            for line in order.lines:
                shop.stock.take_back(line.product, self._visit.customer.country.warehouse, line.quantity)
            return shop.renderer.order_event(now, self._visit, "order_returned", order), None
        rating = min(5, 1 + int(shop.roll() * 7))
        return shop.renderer.review(now, self._visit, order, rating, shop.roll()), None


def follow_up_after(shop: "Shop", visit: Visit, order: Order) -> tuple[FollowUp, float] | None:
    """What will follow an order, and after how many seconds; mostly nothing."""
    roll = shop.roll()
    if roll < _RETURNED:
        return FollowUp(shop, visit, order, True), _RETURN_SECONDS * shop.acceleration * (0.5 + shop.roll())
    if roll < _RETURNED + _REVIEWED:
        return FollowUp(shop, visit, order, False), _REVIEW_SECONDS * shop.acceleration * (0.5 + shop.roll())
    return None
