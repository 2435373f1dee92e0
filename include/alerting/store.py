"""The SQLite file that holds alerts on their way out: one file in the data folder, shared by all processes."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from include.config import Settings

# `place` keeps the order in which alerts were put, also within one millisecond. Taken alerts stay for a while, so that
# the same alert is not counted again when Kafka delivers it twice. Times are seconds since 1970.
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS incoming (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    alert_id TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL,
    taken_at REAL
);
CREATE INDEX IF NOT EXISTS incoming_new ON incoming (place) WHERE taken_at IS NULL;

CREATE TABLE IF NOT EXISTS incidents (
    incident TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    state TEXT NOT NULL,
    severity TEXT NOT NULL,
    body TEXT NOT NULL,
    occurrences INTEGER NOT NULL,
    muted INTEGER NOT NULL,
    first_at REAL NOT NULL,
    last_at REAL NOT NULL,
    told_at REAL,
    escalated_at REAL,
    acknowledged_at REAL,
    acknowledged_by TEXT,
    resolved_at REAL,
    version INTEGER NOT NULL,
    indexed_version INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS incidents_open ON incidents (key) WHERE state <> 'resolved';
CREATE INDEX IF NOT EXISTS incidents_last ON incidents (last_at);

CREATE TABLE IF NOT EXISTS deliveries (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    incident TEXT NOT NULL,
    destination TEXT NOT NULL,
    event TEXT NOT NULL,
    state TEXT NOT NULL,
    made_at REAL NOT NULL,
    due_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    sent_at REAL,
    thread TEXT
);
CREATE INDEX IF NOT EXISTS deliveries_waiting ON deliveries (destination, due_at) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS deliveries_incident ON deliveries (incident);

CREATE TABLE IF NOT EXISTS remembered (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


def store_path(settings: Settings) -> Path:
    """Where the file is."""
    return settings.platform_data_dir / "alerts" / "alerts.sqlite"


@contextmanager
def connection(path: Path, wait_seconds: float = 5.0) -> Iterator[sqlite3.Connection]:
    """A connection inside one transaction: committed at the end, rolled back on an error.

    Args:
        path: The file; it and its folder are made when they are missing.
        wait_seconds: How long to wait for another process's write.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=wait_seconds, isolation_level=None)) as database:
        database.row_factory = sqlite3.Row
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.executescript(_SCHEMA)
        database.execute("BEGIN IMMEDIATE")
        try:
            yield database
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")
