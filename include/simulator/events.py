"""What the simulator makes: messages ready to be sent, with the truth about each."""

from dataclasses import dataclass
from enum import StrEnum

from include.names import Topic
from include.simulator.catalogue import Product
from include.simulator.customers import Customer


class FraudKind(StrEnum):
    """Labels of fraud."""

    CARD_TESTING = "card_testing"
    ACCOUNT_TAKEOVER = "account_takeover"
    UNUSUAL_AMOUNT = "unusual_amount"
    IMPOSSIBLE_TRAVEL = "impossible_travel"
    DEVICE_SHARING = "device_sharing"
    COUNTRY_MISMATCH = "country_mismatch"
    BLOCKED_CARD = "blocked_card"
    ABSURD_QUANTITY = "absurd_quantity"


class Fault(StrEnum):
    """Ways in which an event is made to break its contract."""

    MALFORMED_JSON = "malformed_json"
    INVALID_UTF8 = "invalid_utf8"
    NOT_AN_OBJECT = "not_an_object"
    EMPTY = "empty"
    MISSING_VALUE = "missing_value"
    MISSING_KEY = "missing_key"
    KEY_MISMATCH = "key_mismatch"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_EVENT_TYPE = "unknown_event_type"
    UNKNOWN_VERSION = "unknown_version"
    OUT_OF_RANGE = "out_of_range"
    BAD_PATTERN = "bad_pattern"
    TOO_LONG = "too_long"
    FUTURE_TIME = "future_time"
    ANCIENT_TIME = "ancient_time"
    IMPOSSIBLE_DATE = "impossible_date"
    DUPLICATE_KEY = "duplicate_key"
    NOT_A_NUMBER = "not_a_number"


@dataclass(slots=True, eq=False)
class Visit:
    """One visit of one account with one device.

    Attributes:
        country: Where the visitor is, ISO code.
        common: The JSON fields that all user events of the visit share.
        behind_ms: How long before its sending each event of the visit happened; more than 0 makes them late.
        fraud: The label, where the visit belongs to a fraud case.
        case: Name of the fraud case.
    """

    customer: Customer
    user_id: str
    key: bytes
    session_id: str
    device_id: str
    device_type: str
    country: str
    latitude: float
    longitude: float
    common: str
    behind_ms: int = 0
    fraud: FraudKind | None = None
    case: str | None = None


@dataclass(slots=True)
class Line:
    """One line of an order."""

    product: Product
    quantity: int

    @property
    def amount(self) -> int:
        """Cents."""
        return self.product.price * self.quantity


@dataclass(slots=True, eq=False)
class Order:
    """An order, or its return; all amounts in cents."""

    order_id: str
    lines: list[Line]
    currency: str
    discount: int
    tax: int
    shipping: int
    total: int
    method: str
    card_id: str | None
    shipping_country: str
    billing_country: str

    @property
    def units(self) -> int:
        """Units of all lines."""
        return sum(line.quantity for line in self.lines)

    @property
    def goods(self) -> int:
        """Amount of all lines."""
        return sum(line.amount for line in self.lines)


@dataclass(slots=True)
class StockChange:
    """A counted level (then ``delta`` is None) or a change of stock."""

    warehouse: str
    level: int | None
    delta: int | None
    reason: str


@dataclass(slots=True, eq=False)
class Event:
    """One message and the truth about it.

    Attributes:
        number: Position among the run's distinct events.
        slot: Shop's time, in seconds since 1970, at which it is to be sent.
        time_ms: What its ``event_time`` says.
        value: The bytes to send; None is a record without value.
        valid: Whether it keeps its contract.
    """

    number: int
    slot: float
    topic: Topic
    key: bytes | None
    value: bytes | None
    event_id: str
    event_type: str
    time_ms: int
    visit: Visit | None = None
    product: Product | None = None
    quantity: int | None = None
    order: Order | None = None
    stock: StockChange | None = None
    rating: int | None = None
    duplicate: bool = False
    out_of_order: bool = False
    fault: Fault | None = None

    @property
    def valid(self) -> bool:
        """Whether it keeps its contract."""
        return self.fault is None

    @property
    def late(self) -> bool:
        """Whether it is sent minutes or more after it happened."""
        return self.visit is not None and self.visit.behind_ms > 0 and self.topic is not Topic.CUSTOMER_FEEDBACK
