"""Cells: what is compared. One cell is a window, a dimension, a value and a currency; its sums are whole numbers."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

MEASURES: Final = (
    "events",
    "orders",
    "items",
    "revenue_minor",
    "returns",
    "refunded_minor",
    "sessions",
    "carts",
    "checkouts",
)

Sums = tuple[int, ...]


class Kind(StrEnum):
    """What recomputed events and their sums stand for.

    Gained: events that count now. Lost: copies that counted before, and gave way to an earlier one that was read later.
    Repeated: copies that do not count, but came when the speed layer no longer remembered the first. Differing: copies
    that do not count and have another content; the speed layer may have met them first. Contested: the gained events
    that have such a copy. Reused: the gained events whose id names another event too; the speed layer may have taken
    the one for a copy of the other.
    """

    GAINED = "gained"
    LOST = "lost"
    REPEATED = "repeated"
    DIFFERING = "differing"
    CONTESTED = "contested"
    REUSED = "reused"


class Cell(NamedTuple):
    """Where a sum belongs."""

    window: int
    dimension: str
    value: str
    currency: str | None


Recomputed = dict[Cell, dict[Kind, Sums]]


def hours_in(folder: Path) -> list[str]:
    """Hours (``2026-11-24T10``) for which there are recomputed cells."""
    return sorted(path.name.removeprefix("hour=") for path in folder.glob("hour=*"))


def read_hour(folder: Path, hour: str) -> Recomputed:
    """The recomputed cells of an hour."""
    return _collect(_lines(sorted((folder / f"hour={hour}").glob("part-*"))))


def _lines(paths: Iterable[Path]) -> Iterator[bytes]:
    for path in paths:
        with path.open("rb") as lines:
            yield from lines


def _collect(lines: Iterable[bytes]) -> Recomputed:
    found: Recomputed = defaultdict(dict)
    for line in lines:
        row = json.loads(line)
        cell = Cell(row["window"], row["dimension"], row["value"], row.get("currency"))
        found[cell][Kind(row["kind"])] = tuple(row["sums"])
    return found
