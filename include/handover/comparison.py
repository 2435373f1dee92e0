"""The proof before a handover: each cell of the speed layer against the recomputation, and what explains a difference.

The speed layer may only differ where copies of an event make it differ, and only by as much as these copies add:

| cause | what happened | the speed layer shows |
|---|---|---|
| ``repeated`` | a copy came after the speed layer had forgotten the first | at most this much more |
| ``differing`` | a copy has another content, and was met first | at most this much more, and ``contested`` less |
| ``reused`` | one id names two events; the second was taken for a copy | at most this much less |

Everything else is unexplained.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from include.handover.cells import MEASURES, Cell, Kind, Recomputed, Sums

_NOTHING: Final[Sums] = (0,) * len(MEASURES)
_MORE: Final = (Kind.REPEATED, Kind.DIFFERING)
_LESS: Final = (Kind.CONTESTED, Kind.REUSED)
_EVENTS: Final = MEASURES.index("events")
# Differences that are listed one by one; all are counted.
LISTED: Final = 100


@dataclass(frozen=True)
class Difference:
    """One cell in which the layers differ.

    Attributes:
        cell: Which.
        speed: The sums of the segments.
        batch: The recomputed sums.
        explained_by: Causes that allow for it; empty when nothing does.
    """

    cell: Cell
    speed: Sums
    batch: Sums
    explained_by: tuple[str, ...]

    def row(self) -> dict[str, Any]:
        """For tables and JSON: only the measures that differ."""
        differing = [number for number, name in enumerate(MEASURES) if self.speed[number] != self.batch[number]]
        return {
            "window": datetime.fromtimestamp(self.cell.window, UTC).isoformat(),
            "dimension": self.cell.dimension,
            "value": self.cell.value,
            "currency": self.cell.currency,
            "speed": {MEASURES[number]: self.speed[number] for number in differing},
            "batch": {MEASURES[number]: self.batch[number] for number in differing},
            "explained_by": list(self.explained_by),
        }


@dataclass
class Comparison:
    """The result over all hours.

    Attributes:
        cells: How many cells were compared.
        speed: Sums of the segments over all windows, dimension ``all``; currencies added only to be compared.
        batch: The same of the recomputation.
        drifted: Sum of the absolute differences in events, dimension ``all``.
        explained: Cells that differ with a reason.
        unexplained: Cells that differ without one.
        hours: Per hour the same totals, for the table.
        differences: The unexplained first, then the explained; not all.
    """

    cells: int = 0
    speed: Sums = _NOTHING
    batch: Sums = _NOTHING
    drifted: int = 0
    explained: int = 0
    unexplained: int = 0
    hours: list[dict[str, Any]] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    @property
    def drift(self) -> float:
        """Relative difference: 0.0 when every window of both layers holds the same number of events."""
        return self.drifted / max(1, self.batch[_EVENTS])

    def rows(self) -> list[dict[str, Any]]:
        """The listed differences as rows."""
        return [difference.row() for difference in self.differences]


def _add(left: Sums, right: Sums) -> Sums:
    return tuple(a + b for a, b in zip(left, right, strict=True))


def _minus(left: Sums, right: Sums) -> Sums:
    return tuple(a - b for a, b in zip(left, right, strict=True))


def _causes(difference: Sums, kinds: dict[Kind, Sums]) -> tuple[str, ...]:
    """Causes that allow for a difference; empty when they do not."""
    most, least = _NOTHING, _NOTHING
    for kind in _MORE:
        most = _add(most, kinds.get(kind, _NOTHING))
    for kind in _LESS:
        least = _add(least, kinds.get(kind, _NOTHING))
    if not all(-low <= found <= high for low, found, high in zip(least, difference, most, strict=True)):
        return ()
    usable = (_MORE if any(found > 0 for found in difference) else ()) + (
        _LESS if any(found < 0 for found in difference) else ()
    )
    return tuple(kind.value for kind in usable if any(kinds.get(kind, _NOTHING)))


def compare_hour(hour: str, speed: dict[Cell, Sums], recomputed: Recomputed, result: Comparison) -> None:
    """Compare one hour and add it to the result."""
    totals = Comparison()
    for cell in sorted(speed.keys() | recomputed.keys(), key=str):
        kinds = recomputed.get(cell, {})
        shown = speed.get(cell, _NOTHING)
        exact = _minus(kinds.get(Kind.GAINED, _NOTHING), kinds.get(Kind.LOST, _NOTHING))
        difference = _minus(shown, exact)
        totals.cells += 1
        if cell.dimension == "all":
            totals.speed, totals.batch = _add(totals.speed, shown), _add(totals.batch, exact)
            totals.drifted += abs(difference[_EVENTS])
        if any(difference):
            causes = _causes(difference, kinds)
            totals.explained += bool(causes)
            totals.unexplained += not causes
            totals.differences.append(Difference(cell, shown, exact, causes))
    _accumulate(hour, totals, result)


def _accumulate(hour: str, totals: Comparison, result: Comparison) -> None:
    result.cells += totals.cells
    result.speed, result.batch = _add(result.speed, totals.speed), _add(result.batch, totals.batch)
    result.drifted += totals.drifted
    result.explained += totals.explained
    result.unexplained += totals.unexplained
    known = result.differences + totals.differences
    result.differences = sorted(known, key=lambda difference: bool(difference.explained_by))[:LISTED]
    result.hours.append(
        {
            "hour": hour,
            "speed": dict(zip(MEASURES, totals.speed, strict=True)),
            "batch": dict(zip(MEASURES, totals.batch, strict=True)),
            "cells": totals.cells,
            "explained": totals.explained,
            "unexplained": totals.unexplained,
            "causes": sorted({cause for found in totals.differences for cause in found.explained_by}),
        }
    )


def compare(
    hours: Iterable[str], speed_of: Callable[[str], dict[Cell, Sums]], recomputed_of: Callable[[str], Recomputed]
) -> Comparison:
    """Compare hour by hour.

    Args:
        hours: Every hour that either side knows.
        speed_of: Sums of the segments in an hour.
        recomputed_of: Recomputed sums of an hour.
    """
    result = Comparison()
    for hour in hours:
        compare_hour(hour, speed_of(hour), recomputed_of(hour), result)
    return result
