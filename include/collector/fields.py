"""Fields of tracking messages as the contracts take them."""

import hashlib
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

Event = dict[str, Any]
Message = Mapping[str, Any]

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
# ISO 3166 leaves it to users: where nothing says where somebody is.
_UNKNOWN_COUNTRY: Final = "ZZ"
_MOBILE: Final = ("ios", "android", "mobile", "phone")


def device_of(message: Message) -> Event:
    """The device by its id, or by that of whoever uses it, and its kind by what it says of itself."""
    context = mapping_of(message.get("context"))
    device = mapping_of(context.get("device"))
    told = f"{device.get('type', '')} {context.get('userAgent', '')}".lower()
    kind = "unknown"
    if "tablet" in told or "ipad" in told:
        kind = "tablet"
    elif any(word in told for word in _MOBILE):
        kind = "mobile"
    elif context.get("userAgent"):
        kind = "desktop"
    name = device.get("id") or message.get("anonymousId") or message.get("userId")
    return without_nothing({"device_id": id_of(name), "device_type": kind})


def country_of(message: Message, properties: Message, field: str) -> str:
    """Where somebody or something is: stated, by the place of the context, or by the language's region."""
    context = mapping_of(message.get("context"))
    location = mapping_of(context.get("location"))
    region = str(context.get("locale", "")).replace("_", "-").partition("-")[2]
    found = (properties.get(field), properties.get("country"), location.get("country"), region)
    codes = (str(name).upper() for name in found if name)
    return next((code for code in codes if re.fullmatch("[A-Z]{2}", code)), _UNKNOWN_COUNTRY)


def category_of(properties: Message) -> str | None:
    """A category as a short name, ``Home & Garden`` as ``home-garden``."""
    given = properties.get("category")
    return re.sub(r"[^a-z0-9_-]+", "-", str(given).lower()).strip("-")[:64] or None if given else None


def payment_of(given: object) -> str:
    """The method that a name stands for."""
    name = str(given or "").lower()
    known: dict[str, Callable[[str], bool]] = {
        "card": lambda text: "card" in text or text in ("visa", "mastercard", "amex"),
        "wallet": lambda text: "pay" in text or "wallet" in text,
        "bank_transfer": lambda text: "bank" in text or "sepa" in text,
        "invoice": lambda text: "invoice" in text,
        "cash": lambda text: "cash" in text,
    }
    return next((method for method, fits in known.items() if name and fits(name)), "unknown")


def decimal_of(value: object) -> Decimal | None:
    """A number as it is written; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def money_of(value: object) -> Any:
    """Decimal text; what is no number stays as it is, for the contract to name."""
    number = decimal_of(value)
    return value if number is None else f"{number:.2f}"


def id_of(value: object) -> str | None:
    """An id as the contracts take it; another text by its digest, always the same."""
    if value is None:
        return None
    return str(value) if _ID.fullmatch(str(value)) else hashed(str(value))


def text_of(value: object, length: int) -> str | None:
    """A text, cut to its length."""
    return value[:length] if isinstance(value, str) else None


def hashed(text: str) -> str:
    """An id for a text that is none."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def mapping_of(value: object) -> Message:
    """An object; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def without_nothing(event: Event) -> Event:
    """The fields that have a value."""
    return {name: value for name, value in event.items() if value is not None}
