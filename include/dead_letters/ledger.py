"""Which letters were replayed, with which result: what makes a second replay change nothing."""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from include.config import Settings
from include.dead_letters.letter import Place

_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS replayed (
        topic TEXT, partition INTEGER, offset INTEGER, outcome TEXT NOT NULL, run TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (topic, partition, offset)
    )
"""
_PUT: Final = "INSERT OR REPLACE INTO replayed (topic, partition, offset, outcome, run, at) VALUES (?, ?, ?, ?, ?, ?)"


class Outcome(StrEnum):
    """What became of a letter."""

    SENDING = "sending"
    REPAIRED = "repaired"
    PRESENT = "already_present"
    REFUSED = "still_refused"

    @property
    def is_final(self) -> bool:
        """Whether a further replay leaves the letter alone."""
        return self in (Outcome.REPAIRED, Outcome.PRESENT)


def dead_letters_dir(settings: Settings) -> Path:
    """Where ledger and receipts are."""
    return settings.platform_data_dir / "dead-letters"


class Ledger:
    """The record of all replays, a SQLite file in the data folder."""

    def __init__(self, settings: Settings) -> None:
        self._folder = dead_letters_dir(settings)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let another replay wait: two at once would both send what neither has noted yet."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "replay.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def outcomes(self) -> dict[Place, Outcome]:
        """The outcome of every letter that was ever replayed."""
        with self._connection() as database:
            rows = database.execute("SELECT topic, partition, offset, outcome FROM replayed").fetchall()
        return {Place(topic, partition, offset): Outcome(outcome) for topic, partition, offset, outcome in rows}

    def put(self, places: list[Place], outcome: Outcome, run: str) -> None:
        """Note the outcome of letters, in one transaction."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        rows = [(place.topic, place.partition, place.offset, outcome.value, run, now) for place in places]
        with self._connection() as database:
            database.executemany(_PUT, rows)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        self._folder.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self._folder / "ledger.sqlite", timeout=30)
        try:
            with database:
                database.execute(_TABLE)
                yield database
        finally:
            database.close()
