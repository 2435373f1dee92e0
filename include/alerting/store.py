"""The SQLite file that holds alerts on their way out: one file in the data folder, shared by all processes."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from include.config import Settings

# `place` keeps the order in which alerts were put, also within one millisecond.
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS incoming (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    alert_id TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL
);
"""


def store_path(settings: Settings) -> Path:
    """Where the file is."""
    return settings.platform_data_dir / "alerts" / "alerts.sqlite"


@contextmanager
def connection(path: Path, wait_seconds: float) -> Iterator[sqlite3.Connection]:
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
