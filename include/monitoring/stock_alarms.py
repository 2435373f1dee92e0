"""Products that sell out soon, from the alias ``inventory``: one alert each, and its end when they are there again."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from elasticsearch import Elasticsearch

from include.alerting.alert import Alert, Kind, Severity
from include.alerting.incidents import listed
from include.alerting.store import connection, store_path
from include.config import Settings
from include.names import Alias

# A shelf that is refilled within a minute needs nobody.
_PATIENCE_SECONDS: Final = 60.0
# The rest is on the Platform page: somebody who is told of two hundred products reads none of it.
_MOST_OPEN: Final = 20
_MOST_READ: Final = 1_000
_LOW: Final = ("low", "out")
_SOURCE: Final = "inventory"


class StockAlarms:
    """Remembers since when a product is low; used by one thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._since: dict[str, float] = {}
        self._said: set[str] = set()

    def judge(self, client: Elasticsearch, clock: float) -> list[Alert]:
        """The alerts that follow from the present stock.

        Args:
            client: Connection to Elasticsearch.
            clock: Seconds that only grow.

        Raises:
            elastic_transport.TransportError: If Elasticsearch does not answer.
        """
        low = {_key(row): row for row in _low(client)}
        self._since = {key: self._since.get(key, clock) for key in low}
        self._said &= set(low)
        with connection(store_path(self._settings)) as database:
            known = {
                one.key for one in listed(database) if one.alert.kind is Kind.STOCK and one.alert.source == _SOURCE
            }
        over = sorted(known - set(low))
        places = max(0, _MOST_OPEN - len((known | self._said) - set(over)))
        new = [
            key
            for key in low
            if key not in known and key not in self._said and clock - self._since[key] >= _PATIENCE_SECONDS
        ][:places]
        self._said |= set(new)
        return [*(_raised(key, low[key]) for key in new), *(_over(key) for key in over)]


def _low(client: Elasticsearch) -> list[Mapping[str, Any]]:
    answer = client.search(
        index=Alias.INVENTORY.value,
        size=_MOST_READ,
        query={"terms": {"status": list(_LOW)}},
        sort=[{"hours_left": {"order": "asc", "missing": "_last"}}, {"level": "asc"}],
    )
    return [hit["_source"] for hit in answer["hits"]["hits"]]


def _key(row: Mapping[str, Any]) -> str:
    return f"stock/{row['product_id']}/{row['warehouse_id']}"


def _raised(key: str, row: Mapping[str, Any]) -> Alert:
    hours = row.get("hours_left")
    when = "is sold out" if not row["level"] else "is low" if hours is None else f"sells out in {hours:.1f} h"
    shown = ("level", "sold_per_hour", "threshold", "category", "counted_at")
    return Alert(
        source=_SOURCE,
        kind=Kind.STOCK,
        severity=Severity.WARNING,
        subject=f"{row['product_id']} {when} in {row['warehouse_id']}",
        key=key,
        evidence={name: row[name] for name in shown if row.get(name) is not None},
        time=datetime.now(UTC),
    )


def _over(key: str) -> Alert:
    _, product, warehouse = key.split("/", 2)
    return Alert(
        source=_SOURCE,
        kind=Kind.STOCK,
        severity=Severity.INFO,
        subject=f"{product} is there again in {warehouse}",
        key=key,
        resolved=True,
    )
