"""All shelves, in a SQLite file beside the checkpoint of the query that keeps them."""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from include.alerting.alert import Alert
from include.errors import PlatformError
from include.stock.alerts import alert_of
from include.stock.rules import StockRules
from include.stock.shelf import Shelf, Status, Stock, merged, shelf_from, stock_of

# `status` is the state that was last told. Alerts are noted with the state that raised them, in one transaction, and
# deleted after they were sent: a crash in between sends them again, and none is forgotten.
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS shelves (
    product_id TEXT NOT NULL,
    warehouse_id TEXT NOT NULL,
    shelf TEXT NOT NULL,
    status TEXT NOT NULL,
    PRIMARY KEY (product_id, warehouse_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alerts (alert_id TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS versions (latest INTEGER NOT NULL);
INSERT INTO versions SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM versions);
"""


class Place(NamedTuple):
    """Where a shelf is."""

    product_id: str
    warehouse_id: str


@dataclass(frozen=True)
class Changes:
    """What became of the shelves of a micro-batch.

    Attributes:
        version: Grows with each micro-batch.
        shelves: Their state, with what it comes to; those that were never counted come to nothing yet.
    """

    version: int
    shelves: Mapping[Place, tuple[Shelf, Stock | None]]


class Shelves:
    """Remembers the shelves. It is used by one thread at a time.

    Args:
        checkpoint: Folder of the query's checkpoint. The file has the checkpoint's fate: whoever deletes that, deletes
            what was concluded from it.
    """

    def __init__(self, checkpoint: Path) -> None:
        self._checkpoint = checkpoint
        self._path = checkpoint / "shelves.sqlite"

    def require(self) -> None:
        """Refuse to go on from a checkpoint whose shelves are gone.

        Raises:
            PlatformError: Naming the file and the way out.
        """
        if any((self._checkpoint / "commits").glob("[0-9]*")) and not self._path.exists():
            raise PlatformError(
                f"{self._path} is missing, while the checkpoint beside it says that events were read already: the "
                f"stock would be wrong. Delete {self._checkpoint}; all is then counted anew from what Kafka holds."
            )

    def take_in(self, seen: Mapping[Place, Shelf], rules: StockRules) -> Changes:
        """Merge what a micro-batch saw into the shelves, and note what is to be said of them.

        Doing it again with the same micro-batch changes no shelf and notes no other alert.
        """
        found: dict[Place, tuple[Shelf, Stock | None]] = {}
        with self._database() as database:
            version = _next_version(database)
            for place, shelf in seen.items():
                found[place] = _merge(database, place, shelf, rules)
        return Changes(version, found)

    def unsent(self) -> list[Alert]:
        """Alerts that were noted and not yet sent."""
        with self._database() as database:
            return [Alert.model_validate_json(row[0]) for row in database.execute("SELECT body FROM alerts")]

    def mark_sent(self, alerts: list[Alert]) -> None:
        """Forget alerts that were sent."""
        with self._database() as database:
            database.executemany("DELETE FROM alerts WHERE alert_id = ?", [(alert.alert_id,) for alert in alerts])

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        self._checkpoint.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=30)) as database:
            database.executescript(_SCHEMA)
            with database:
                yield database


def _next_version(database: sqlite3.Connection) -> int:
    # The clock, so that a query that begins anew writes newer documents than the one before it did.
    (latest,) = database.execute("SELECT latest FROM versions").fetchone()
    version = max(int(latest) + 1, int(time.time() * 1000))
    database.execute("UPDATE versions SET latest = ?", (version,))
    return version


def _merge(database: sqlite3.Connection, place: Place, seen: Shelf, rules: StockRules) -> tuple[Shelf, Stock | None]:
    row = database.execute(
        "SELECT shelf, status FROM shelves WHERE product_id = ? AND warehouse_id = ?", place
    ).fetchone()
    # Merged with an empty shelf where there is none: what is kept of it is then the same.
    shelf = merged(shelf_from(row[0]) if row else Shelf(), seen)
    stock = stock_of(shelf, place.product_id, rules.low)
    told = Status(row[1]) if row else Status.OK
    status = stock.status if stock else Status.OK
    if stock and status is not told:
        alert = alert_of(*place, shelf, stock, rules)
        database.execute("INSERT OR IGNORE INTO alerts VALUES (?, ?)", (alert.alert_id, alert.model_dump_json()))
    database.execute("INSERT OR REPLACE INTO shelves VALUES (?, ?, ?, ?)", (*place, shelf.as_json(), status))
    return shelf, stock
