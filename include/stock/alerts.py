"""What is said of a shelf when its state changes."""

import hashlib
from datetime import UTC, datetime
from typing import Final

from include.alerting.alert import Alert, Kind, Severity
from include.stock.rules import StockRules
from include.stock.shelf import Shelf, Status, Stock

_SOURCE: Final = "speed-layer"
_ID_LENGTH: Final = 32


def alert_of(product: str, warehouse: str, shelf: Shelf, stock: Stock, rules: StockRules) -> Alert:
    """The alert of a shelf whose state is new.

    Its id is that of the state and of the observation that led to it, so that saying it again is no second alert; its
    key is the shelf's, so that all that is said of a shelf until it is well filled again is one incident.
    """
    resolved = stock.status is Status.OK
    latest = shelf.movements[-1].id if shelf.movements else shelf.counted.id if shelf.counted else ""
    identity = "|".join((product, warehouse, stock.status, latest))
    evidence = {
        "level": stock.level,
        "low at": stock.threshold,
        "sold per hour": None if stock.sold_per_hour is None else f"{stock.sold_per_hour:.1f}",
        "hours left": None if stock.hours_left is None else f"{stock.hours_left:.1f}",
        "counted at": None if shelf.counted is None else _time(shelf.counted.counted_at).isoformat(),
    }
    return Alert(
        source=_SOURCE,
        kind=Kind.STOCK,
        severity=Severity.INFO if resolved else Severity(getattr(rules.severity, stock.status.value)),
        subject=f"{product} {_what(stock)} in {warehouse}",
        key=f"stock/{product}/{warehouse}",
        evidence={name: str(value) for name, value in evidence.items() if value is not None},
        time=_time(shelf.newest),
        resolved=resolved,
        alert_id=hashlib.sha256(identity.encode()).hexdigest()[:_ID_LENGTH],
    )


def _what(stock: Stock) -> str:
    if stock.status is Status.OVERSOLD:
        return f"is oversold by {-stock.level}"
    if stock.status is Status.OUT:
        return "is sold out"
    if stock.status is Status.OK:
        return "is there again"
    left = "" if stock.hours_left is None else f", sells out in {stock.hours_left:.1f} h"
    return f"is low: {stock.level} left{left}"


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
