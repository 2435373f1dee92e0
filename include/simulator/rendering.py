"""Writes events as the bytes that go to Kafka: joins prepared pieces, which is ten times faster than ``json.dumps``.

All pieces are made here from identifiers and numbers that need no escaping; a test holds the result against the
contracts.
"""

import json
from datetime import UTC, datetime
from typing import Final

from include.names import Topic
from include.simulator.catalogue import Product, money
from include.simulator.customers import Customer, Device
from include.simulator.events import Event, Line, Order, StockChange, Visit

SEARCHES: Final = (
    "running shoes", "birthday gift", "coffee grinder", "board game", "garden hose", "winter jacket", "desk lamp",
    "vinyl", "thriller", "yoga mat", "face cream", "notebook", "lego", "headphones", "grill", "size 42", "puzzle",
)  # fmt: skip
REVIEWS: Final = {
    "en": ("Just as described.", "Good value.", "Arrived late, but works well.", "Not for me: \"too small\"."),
    "de": ("Größe passt, sehr zufrieden.", "Gut & günstig.", "Kam spät an.", "Nicht mein Fall."),
    "fr": ("Très bien, merci !", "Bonne qualité.", "Livré en retard.", "Déçu."),
}  # fmt: skip
_SEARCH_FIELDS: Final = tuple(f',"page":"/search","query":{json.dumps(text)}' for text in SEARCHES)
_REVIEW_FIELDS: Final = {
    language: tuple(f',"text":{json.dumps(text, ensure_ascii=False)},"language":"{language}"' for text in texts)
    for language, texts in REVIEWS.items()
}
PAGES: Final = ("/", "/sale", "/new", "/account", "/help", "/account/orders")
_PAGE_FIELDS: Final = tuple(f',"page":"{page}"' for page in PAGES)


class Renderer:
    """Makes the events of one run; numbers them and gives them their ids."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._events = 0
        self._visits = 0
        self._orders = 0
        self._second = -1
        self._second_text = ""

    def visit(self, customer: Customer, device: Device, latitude: float, longitude: float, country: str) -> Visit:
        """A new visit of a customer with a device, at a place."""
        self._visits += 1
        session_id = f"s-{self._run_id}-{self._visits:x}"
        common = (
            f'","schema_version":1,"user_id":"{customer.user_id}","session_id":"{session_id}",'
            f'"device":{{"device_id":"{device.device_id}","device_type":"{device.device_type}"}},'
            f'"country":"{country}","latitude":{latitude:.4f},"longitude":{longitude:.4f}'
        )
        return Visit(
            customer=customer,
            user_id=customer.user_id,
            key=customer.key,
            session_id=session_id,
            device_id=device.device_id,
            device_type=device.device_type,
            country=country,
            latitude=latitude,
            longitude=longitude,
            common=common,
        )

    def next_order_id(self) -> str:
        """An id for a new order."""
        self._orders += 1
        return f"o-{self._run_id}-{self._orders:x}"

    def user_event(
        self,
        now: float,
        visit: Visit,
        event_type: str,
        fields: str = "",
        product: Product | None = None,
        quantity: int | None = None,
    ) -> Event:
        """A user event; ``fields`` are the JSON fields beside the common ones, with a comma before each."""
        event_id, time_ms, time = self._stamp(now, visit.behind_ms)
        text = f'{{"event_id":"{event_id}","event_type":"{event_type}","event_time":"{time}{visit.common}{fields}}}'
        return Event(
            self._events, now, Topic.USER_EVENTS, visit.key, text.encode(), event_id, event_type, time_ms,
            visit, product, quantity,
        )  # fmt: skip

    def page_view(self, now: float, visit: Visit, roll: float) -> Event:
        """A page; ``roll`` in [0, 1) chooses which."""
        return self.user_event(now, visit, "page_view", _PAGE_FIELDS[int(roll * len(_PAGE_FIELDS))])

    def search(self, now: float, visit: Visit, roll: float) -> Event:
        """A search; ``roll`` in [0, 1) chooses what for."""
        return self.user_event(now, visit, "search", _SEARCH_FIELDS[int(roll * len(_SEARCH_FIELDS))])

    def product_event(self, now: float, visit: Visit, event_type: str, product: Product, quantity: int | None) -> Event:
        """A look at a product, or a cart event (which has a quantity)."""
        fields = product.shown[visit.customer.country.currency]
        if quantity is not None:
            fields = f'{fields},"quantity":{quantity}'
        return self.user_event(now, visit, event_type, fields, product, quantity)

    def order_event(self, now: float, visit: Visit, event_type: str, order: Order) -> Event:
        """An order placed or returned."""
        event_id, time_ms, time = self._stamp(now, visit.behind_ms)
        items = ",".join(map(_item, order.lines))
        card = f',"card_id":"{order.card_id}"' if order.card_id else ""
        text = (
            f'{{"event_id":"{event_id}","event_type":"{event_type}","event_time":"{time}","schema_version":1,'
            f'"order_id":"{order.order_id}","user_id":"{visit.user_id}","session_id":"{visit.session_id}",'
            f'"items":[{items}],"currency":"{order.currency}","discount":"{money(order.discount)}",'
            f'"tax":"{money(order.tax)}","shipping":"{money(order.shipping)}","total":"{money(order.total)}",'
            f'"payment":{{"method":"{order.method}"{card}}},'
            f'"shipping_country":"{order.shipping_country}","billing_country":"{order.billing_country}",'
            f'"device":{{"device_id":"{visit.device_id}","device_type":"{visit.device_type}"}},'
            f'"latitude":{visit.latitude:.4f},"longitude":{visit.longitude:.4f}}}'
        )
        return Event(
            self._events, now, Topic.PURCHASES, visit.key, text.encode(), event_id, event_type, time_ms,
            visit, order=order,
        )  # fmt: skip

    def stock_event(self, now: float, product: Product, change: StockChange) -> Event:
        """A counted level or a change of stock."""
        event_id, time_ms, time = self._stamp(now, 0)
        event_type = "stock_delta" if change.level is None else "stock_level"
        amount = f'"delta":{change.delta}' if change.level is None else f'"level":{change.level}'
        text = (
            f'{{"event_id":"{event_id}","event_type":"{event_type}","event_time":"{time}","schema_version":1,'
            f'"warehouse_id":"{change.warehouse}","product_id":"{product.product_id}",{amount},'
            f'"reason":"{change.reason}"}}'
        )
        return Event(
            self._events, now, Topic.INVENTORY_UPDATES, product.product_id.encode(), text.encode(), event_id,
            event_type, time_ms, product=product, stock=change,
        )  # fmt: skip

    def review(self, now: float, visit: Visit, order: Order, rating: int, roll: float) -> Event:
        """A review of the order's first product; ``roll`` in [0, 1) chooses its text."""
        event_id, time_ms, time = self._stamp(now, 0)
        product = order.lines[0].product
        texts = _REVIEW_FIELDS[visit.customer.country.language]
        text = (
            f'{{"event_id":"{event_id}","event_type":"review_submitted","event_time":"{time}","schema_version":1,'
            f'"user_id":"{visit.user_id}","product_id":"{product.product_id}","order_id":"{order.order_id}",'
            f'"rating":{rating}{texts[int(roll * len(texts))]}}}'
        )
        return Event(
            self._events, now, Topic.CUSTOMER_FEEDBACK, product.product_id.encode(), text.encode(), event_id,
            "review_submitted", time_ms, visit, product, order=None, rating=rating,
        )  # fmt: skip

    def _stamp(self, now: float, behind_ms: int) -> tuple[str, int, str]:
        self._events += 1
        time_ms = int(now * 1000) - behind_ms
        second, milliseconds = divmod(time_ms, 1000)
        if second != self._second:
            self._second = second
            self._second_text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
        return f"{self._run_id}-{self._events:08x}", time_ms, f"{self._second_text}{milliseconds:03d}Z"


def _item(line: Line) -> str:
    product = line.product
    return (
        f'{{"product_id":"{product.product_id}","category":"{product.category}","quantity":{line.quantity},'
        f'"unit_price":"{money(product.price)}","amount":"{money(line.amount)}"}}'
    )
