"""The figures of a report, from the search store, the verdicts on tables and the alerts' store."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from elasticsearch import Elasticsearch

from include.alerting.incidents import listed
from include.alerting.store import connection, store_path
from include.config import Settings
from include.names import Alias
from include.quality.suite import tables_with_suites
from include.quality.verdict import Verdict, latest
from include.reports import searches
from include.reports.period import Period
from include.serving.answers import require_whole

TOP: Final = 10


@dataclass(frozen=True)
class Sales:
    """Sums of one currency, in cents."""

    orders: int
    revenue: int
    refunded: int


@dataclass(frozen=True)
class Totals:
    """What the shop did in a period; money by currency, never summed over currencies."""

    events: int = 0
    orders: int = 0
    sessions: int = 0
    carts: int = 0
    sales: Mapping[str, Sales] = field(default_factory=dict)

    @property
    def conversion(self) -> float | None:
        """Orders for each session; None without sessions."""
        return self.orders / self.sessions if self.sessions else None

    @property
    def currency(self) -> str | None:
        """The currency of the most orders."""
        return max(self.sales, key=lambda name: self.sales[name].orders, default=None)


@dataclass(frozen=True)
class Product:
    """What was sold of a product, and its revenue in cents by currency."""

    product: str
    items: int
    revenue: Mapping[str, int]


@dataclass(frozen=True)
class Spread:
    """Of some observations: how many, the median, the 99th percentile and the largest; None without any."""

    count: int
    median: float | None
    p99: float | None
    largest: float | None


@dataclass(frozen=True)
class Figures:
    """Everything that a report shows.

    Attributes:
        period: The span.
        now: Sums of the span.
        before: Sums of the span before.
        points: Start (seconds since 1970), orders and revenue (cents by currency) of each bucket.
        products: What sold best, by pieces.
        fraud: Suspicions by rule.
        verdicts: The newest verdict on each table with a suite.
        batch_ms: How long the live query's micro-batches took.
        age_seconds: How old the newest numbers were when somebody looked.
        lag: Records that the live query had not read yet.
        handovers: Observations of handovers, oldest first.
        streams: Observations of streams' health by status.
        alerts: Incidents that began in the span, by severity.
    """

    period: Period
    now: Totals
    before: Totals
    points: list[tuple[float, int, Mapping[str, int]]]
    products: list[Product]
    fraud: Mapping[str, int]
    verdicts: list[Verdict]
    batch_ms: Spread
    age_seconds: Spread
    lag: Spread
    handovers: list[Mapping[str, Any]]
    streams: Mapping[str, int]
    alerts: Mapping[str, int]


def gather(settings: Settings, client: Elasticsearch, period: Period) -> Figures:
    """Ask for all of it.

    Raises:
        PartUnavailableError: If the search store misses a part of an answer.
    """
    since, until = period.since, period.until
    asked: list[tuple[Alias, Mapping[str, Any]]] = [
        (Alias.METRICS, searches.totals(since, until)),
        (Alias.METRICS, searches.totals(period.before.since, period.before.until)),
        (Alias.METRICS, searches.points(since, until, period.bucket_seconds)),
        (Alias.METRICS, searches.products(since, until, TOP)),
        (Alias.FRAUD_ALERTS, searches.fraud(since, until)),
        (Alias.PIPELINE_HEALTH, searches.observed(since, until)),
        (Alias.PIPELINE_HEALTH, searches.handovers(since, until)),
    ]
    lines = [part for alias, body in asked for part in ({"index": alias.value, "ignore_unavailable": True}, body)]
    answers = client.msearch(searches=lines)["responses"]
    for answer in answers:
        require_whole(answer)
    now, before, series, best, fraud, observed = (answer.get("aggregations", {}) for answer in answers[:-1])
    verdicts = [verdict for table in tables_with_suites() if (verdict := latest(settings, table)) is not None]
    return Figures(
        period=period,
        now=_totals(now),
        before=_totals(before),
        points=[
            (bucket["key"] / 1000, int(bucket["orders"]["value"]), _by_currency(bucket))
            for bucket in series.get("points", {}).get("buckets", [])
        ],
        products=[
            Product(bucket["key"], int(bucket["items"]["value"]), _by_currency(bucket))
            for bucket in best.get("products", {}).get("buckets", [])
            if bucket["items"]["value"]
        ],
        fraud={bucket["key"]: bucket["doc_count"] for bucket in fraud.get("rules", {}).get("buckets", [])},
        verdicts=verdicts,
        batch_ms=_spread(observed.get("live", {}), "batch_ms"),
        age_seconds=_spread(observed.get("freshness", {}), "age_seconds"),
        lag=_spread(observed.get("live", {}), "lag"),
        handovers=[hit["_source"] for hit in answers[-1]["hits"]["hits"]],
        streams={
            bucket["key"]: bucket["doc_count"]
            for bucket in observed.get("streams", {}).get("status", {}).get("buckets", [])
        },
        alerts=_alerts(settings, since, until),
    )


def _totals(found: Mapping[str, Any]) -> Totals:
    if not found:
        return Totals()
    return Totals(
        **{name: int(found[name]["value"]) for name in searches.COUNTS},
        sales={
            bucket["key"]: Sales(
                int(bucket["orders"]["value"]),
                int(bucket["revenue_minor"]["value"]),
                int(bucket["refunded_minor"]["value"]),
            )
            for bucket in found["currencies"]["buckets"]
            if bucket["orders"]["value"] or bucket["refunded_minor"]["value"]
        },
    )


def _by_currency(bucket: Mapping[str, Any]) -> dict[str, int]:
    found = {one["key"]: int(one["revenue_minor"]["value"]) for one in bucket["currencies"]["buckets"]}
    return {currency: cents for currency, cents in found.items() if cents}


def _spread(found: Mapping[str, Any], name: str) -> Spread:
    values = found.get(name, {}).get("values", {})
    largest = found.get(f"{name}_max", {}).get("value")
    return Spread(int(found.get("doc_count", 0)), values.get("50.0"), values.get("99.0"), largest)


def _alerts(settings: Settings, since: datetime, until: datetime) -> dict[str, int]:
    with connection(store_path(settings)) as database:
        found = listed(database, resolved=True)
    return dict(Counter(one.severity.value for one in found if since <= one.first_at < until))
