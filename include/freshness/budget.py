"""How much of the month each thing was late, and how much of that it may still be: the error budget."""

import sqlite3
from calendar import monthrange
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from include.config import Settings
from include.freshness.ages import Age

_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS budget (
        month TEXT, subject TEXT, watched REAL NOT NULL, late REAL NOT NULL, looked_at REAL NOT NULL,
        is_late INTEGER NOT NULL, PRIMARY KEY (month, subject)
    )
"""
# A look stands for the time since the one before, but not for more: while nobody looked, nothing is known.
_LONGEST_GAP: Final = 300.0


@dataclass(frozen=True)
class Budget:
    """What is left of a month.

    Attributes:
        subject: Of what.
        watched_seconds: How long it was watched this month.
        late_seconds: How long it was late.
        allowed_seconds: How long it may be late in the whole month.
        is_late: Whether it is late now.
    """

    subject: str
    watched_seconds: float
    late_seconds: float
    allowed_seconds: float
    is_late: bool

    @property
    def left(self) -> float:
        """Share of the budget that is left; below 0 when more was used than there is."""
        return 1 - self.late_seconds / self.allowed_seconds


def allowed_seconds(settings: Settings, now: datetime) -> float:
    """How long anything may be late in the month of a moment."""
    return (1 - settings.freshness_target) * monthrange(now.year, now.month)[1] * 86_400


def note(settings: Settings, seen: Sequence[Age], now: datetime) -> dict[str, bool]:
    """Add a look to the month.

    Returns:
        What changed: for each subject that became late, or is no longer, whether it is late.
    """
    month, moment = f"{now:%Y-%m}", now.timestamp()
    changed: dict[str, bool] = {}
    with _connection(settings) as database:
        for age in seen:
            row = database.execute(
                "SELECT watched, late, looked_at FROM budget WHERE month = ? AND subject = ?", (month, age.subject)
            ).fetchone()
            watched, late, looked_at = row or (0.0, 0.0, moment)
            gap = min(max(moment - looked_at, 0.0), _LONGEST_GAP)
            if age.is_late is not _was_late(database, age.subject):
                changed[age.subject] = age.is_late
            database.execute(
                "INSERT OR REPLACE INTO budget VALUES (?, ?, ?, ?, ?, ?)",
                (month, age.subject, watched + gap, late + (gap if age.is_late else 0), moment, int(age.is_late)),
            )
    return changed


def _was_late(database: sqlite3.Connection, subject: str) -> bool:
    row = database.execute(
        "SELECT is_late FROM budget WHERE subject = ? ORDER BY looked_at DESC LIMIT 1", (subject,)
    ).fetchone()
    return bool(row and row[0])


def budgets(settings: Settings, now: datetime) -> dict[str, Budget]:
    """The budgets of the present month, by subject."""
    with _connection(settings) as database:
        rows = database.execute(
            "SELECT subject, watched, late, is_late FROM budget WHERE month = ?", (f"{now:%Y-%m}",)
        ).fetchall()
    allowed = allowed_seconds(settings, now)
    return {row[0]: Budget(row[0], row[1], row[2], allowed, bool(row[3])) for row in rows}


@contextmanager
def _connection(settings: Settings) -> Iterator[sqlite3.Connection]:
    folder = settings.platform_data_dir / "freshness"
    folder.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(folder / "budget.sqlite", timeout=10)
    try:
        with database:
            database.execute(_TABLE)
            yield database
    finally:
        database.close()
