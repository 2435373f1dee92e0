"""The shop's key figures: sums over the documents behind the alias ``metrics``, whichever layer wrote them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from elasticsearch import ApiError, Elasticsearch, NotFoundError

from include.errors import PartUnavailableError
from include.names import Alias, Part
from include.serving.activity import USER_SPANS, Activity, activity_from, activity_search
from include.serving.answers import SAME_COPY, money, not_installed, require_whole
from include.serving.freshness import Freshness, freshness_from, freshness_searches, iso

# Beyond it, minutes say little: ask for a time series with coarser buckets.
MAX_MINUTES: Final = 1440
_COUNTS: Final = ("events", "orders", "items", "sessions", "carts", "checkouts")
_SALES: Final = ("orders", "items", "revenue_minor", "returns", "refunded_minor")
_CURRENCIES: Final = 200


@dataclass(frozen=True)
class Sales:
    """Sums of one currency; money in cents."""

    orders: int
    items: int
    revenue_minor: int
    returns: int
    refunded_minor: int

    @property
    def average_order_minor(self) -> int | None:
        """Revenue by order, rounded to a cent; None without orders."""
        return round(self.revenue_minor / self.orders) if self.orders else None


@dataclass(frozen=True)
class Minute:
    """One minute of event time: counts, and revenue in cents by currency."""

    start: datetime
    events: int
    orders: int
    revenue_minor: Mapping[str, int]


@dataclass(frozen=True)
class Kpis:
    """The key figures of a range.

    Attributes:
        since: Start of the range (event time), on a whole minute.
        until: End of the range: the moment of asking.
        counts: Events, orders, items, sessions, carts, checkouts over all currencies.
        sales: Sums by currency; never over currencies.
        series: Every minute of the range, those without events included; the last is still running.
        activity: Distinct users and sessions.
        freshness: How fresh and complete the sums are.
    """

    since: datetime
    until: datetime
    counts: Mapping[str, int]
    sales: Mapping[str, Sales]
    series: Sequence[Minute]
    activity: Activity
    freshness: Freshness

    @property
    def minutes(self) -> float:
        """Length of the range in minutes, the running one by its elapsed part."""
        return (self.until - self.since).total_seconds() / 60

    def sales_per_minute_minor(self, currency: str) -> float:
        """Mean revenue in a minute of the range, in cents."""
        return self.sales[currency].revenue_minor / self.minutes

    def as_json(self) -> dict[str, Any]:
        """For programs; money as decimal text."""
        activity = self.activity
        return {
            "since": iso(self.since),
            "until": iso(self.until),
            **self.counts,
            "sales": {currency: self._sales_json(currency) for currency in self.sales},
            "active_users": {f"last_{span}_minutes": activity.users[span] for span in USER_SPANS},
            "active_sessions": activity.active_sessions,
            "conversion_rate": activity.conversion_rate,
            "cart_abandonment_rate": activity.cart_abandonment_rate,
            "series": [
                {
                    "start": iso(minute.start),
                    "events": minute.events,
                    "orders": minute.orders,
                    "revenue": {currency: money(cents) for currency, cents in minute.revenue_minor.items()},
                }
                for minute in self.series
            ],
            "freshness": self.freshness.as_json(self.until),
        }

    def _sales_json(self, currency: str) -> dict[str, Any]:
        sums = self.sales[currency]
        average = sums.average_order_minor
        return {
            "orders": sums.orders,
            "items": sums.items,
            "revenue": money(sums.revenue_minor),
            "revenue_per_minute": money(round(self.sales_per_minute_minor(currency))),
            "average_order_value": None if average is None else money(average),
            "returns": sums.returns,
            "refunded": money(sums.refunded_minor),
        }


def _sums(fields: Sequence[str]) -> dict[str, Any]:
    return {field: {"sum": {"field": field}} for field in fields}


def _sales_search(since: datetime, until: datetime) -> dict[str, Any]:
    span = {"gte": iso(since), "lt": iso(until)}
    minutes = {
        "field": "window_start",
        "fixed_interval": "1m",
        "min_doc_count": 0,
        "extended_bounds": {"min": iso(since), "max": iso(until - timedelta(milliseconds=1))},
    }
    by_currency = {"field": "currency", "size": _CURRENCIES}
    return {
        "size": 0,
        "track_total_hits": False,
        "query": {"bool": {"filter": [{"term": {"dimension": "all"}}, {"range": {"window_start": span}}]}},
        "aggs": {
            **_sums(_COUNTS),
            "sales": {"terms": by_currency, "aggs": _sums(_SALES)},
            "minutes": {
                "date_histogram": minutes,
                "aggs": {
                    **_sums(("events", "orders")),
                    "currencies": {"terms": by_currency, "aggs": _sums(("orders", "revenue_minor"))},
                },
            },
        },
    }


def range_of(now: datetime, minutes: int) -> tuple[datetime, datetime]:
    """The range of the last whole minutes and the running one."""
    return now.replace(second=0, microsecond=0) - timedelta(minutes=minutes), now


def kpi_searches(since: datetime, until: datetime) -> list[dict[str, Any]]:
    """All searches behind the key figures, for one ``msearch``."""
    header = {"preference": SAME_COPY}
    return [header, _sales_search(since, until), header, activity_search(since, until), *freshness_searches()]


def kpis_from(answers: Sequence[Mapping[str, Any]], since: datetime, until: datetime) -> Kpis:
    """The answers to ``kpi_searches``, put together.

    Raises:
        PartUnavailableError: If Elasticsearch could not answer one of them in full.
    """
    for answer in answers:
        require_whole(answer)
    sums = answers[0]["aggregations"]
    return Kpis(
        since=since,
        until=until,
        counts={name: int(sums[name]["value"]) for name in _COUNTS},
        sales={
            bucket["key"]: Sales(**{name: int(bucket[name]["value"]) for name in _SALES})
            for bucket in sorted(sums["sales"]["buckets"], key=lambda found: -found["orders"]["value"])
            if bucket["orders"]["value"] or bucket["returns"]["value"]
        },
        series=tuple(_minute(bucket, since) for bucket in sums["minutes"]["buckets"]),
        activity=activity_from(answers[1], until),
        freshness=freshness_from(answers[2:]),
    )


def _minute(bucket: Mapping[str, Any], since: datetime) -> Minute:
    return Minute(
        start=datetime.fromtimestamp(bucket["key"] / 1000, tz=since.tzinfo),
        events=int(bucket["events"]["value"]),
        orders=int(bucket["orders"]["value"]),
        revenue_minor={
            found["key"]: int(found["revenue_minor"]["value"])
            for found in bucket["currencies"]["buckets"]
            if found["orders"]["value"]
        },
    )


def read_kpis(client: Elasticsearch, now: datetime, minutes: int) -> Kpis:
    """The key figures of the last minutes, in one request.

    Args:
        client: Connection to Elasticsearch.
        now: End of the range, with its time zone.
        minutes: Length of the range, 1 to ``MAX_MINUTES``.

    Raises:
        PartUnavailableError: If Elasticsearch refuses, or answers in part only.
        elastic_transport.TransportError: If it does not answer (see ``client.reachable``).
    """
    if not 1 <= minutes <= MAX_MINUTES:
        raise ValueError(f"minutes must be 1 to {MAX_MINUTES}, found {minutes}")
    since, until = range_of(now, minutes)
    try:
        answer = client.msearch(index=Alias.METRICS.value, searches=kpi_searches(since, until))
    except NotFoundError as error:
        raise not_installed(Alias.METRICS) from error
    except ApiError as error:
        raise PartUnavailableError(Part.ELASTICSEARCH, f"refused the key figures: {error}") from error
    return kpis_from(answer["responses"], since, until)
