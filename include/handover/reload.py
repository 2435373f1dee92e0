"""Days of the alias ``metrics`` loaded again from gold: after a lost or damaged index, or a changed mapping.

The days' indices are filled and checked beside those that are read, then take their place in one action. What the speed
layer has not handed over yet is in segments, which are left alone.
"""

import json
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch

from include.config import Settings
from include.errors import ConfigurationError
from include.handover.batch_indices import batch_index, day_of, fill, verify
from include.handover.runs import RunStore
from include.names import Alias
from include.serving import notes
from include.serving.aliases import indices_behind, next_index, switch
from include.serving.reindex import ReindexReport

logger = logging.getLogger(__name__)

# Writes the days' documents and what they add up to into a folder; in production by spark-submit.
Export = Callable[[Path], None]


def reload(
    settings: Settings, client: Elasticsearch, folder: Path, export: Export, *, allow_fewer: bool = False
) -> ReindexReport:
    """Load the days that an export finds, and put them in the place of those that are read now.

    Args:
        settings: The platform's settings.
        client: Connection to Elasticsearch.
        folder: Where the export writes.
        export: See ``spark_jobs/batch/export_metrics.py``.
        allow_fewer: Whether a day may have fewer documents than before.

    Raises:
        HandoverBusyError: If a handover runs.
        ConfigurationError: If one was interrupted, gold has no day that can be loaded, or a day would have fewer
            documents; nothing changes then.
        IncompleteIndexError: If an index does not hold what gold adds up to; nothing changes then.
    """
    store = RunStore(settings)
    with store.alone():
        if unfinished := store.unfinished():
            raise ConfigurationError(
                f"handover {unfinished.run_id} was interrupted after {unfinished.step}: finish it first, "
                "python main.py handover"
            )
        export(folder)
        result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        _require_days(result)
        old = _read_now(client, result["days"].keys())
        _require_as_many(client, old, result["days"], allow_fewer)
        new = _filled(settings, client, folder, result)
        return _switched(client, old, new)


def _require_days(result: dict[str, Any]) -> None:
    if not result["days"]:
        left_out = ", ".join(result["left_out"]) or "none at all"
        raise ConfigurationError(
            f"gold.metrics_10s has no day that a finished handover computed (found: {left_out}); "
            "python main.py handover computes and loads them"
        )
    if result["left_out"]:
        logger.warning("left out days=%s: gold is not at their last handover", ",".join(result["left_out"]))


def _read_now(client: Elasticsearch, days: Collection[str]) -> dict[str, str]:
    behind = {day: index for index in indices_behind(client, Alias.METRICS) if (day := day_of(index)) is not None}
    return {day: index for day, index in behind.items() if day in days}


def _require_as_many(
    client: Elasticsearch, old: Mapping[str, str], days: Mapping[str, Mapping[str, int]], allow_fewer: bool
) -> None:
    for day, index in old.items():
        before, after = _count(client, [index]), days[day]["documents"]
        if after < before and not allow_fewer:
            raise ConfigurationError(
                f"metrics of {day} would have {after} documents, {index} has {before}; nothing was switched. "
                "Where that is right: --allow-fewer"
            )


def _filled(settings: Settings, client: Elasticsearch, folder: Path, result: dict[str, Any]) -> dict[str, str]:
    """The new index of each day, filled and checked; nobody reads it yet."""
    made: dict[str, str] = {}
    try:
        for day, run_id in result["runs"].items():
            made[day] = index = next_index(client, Alias.METRICS, batch_index(day, run_id))
            fill(client, settings, index, folder / "documents" / f"day={day}")
            verify(client, index, result["days"][day])
    except BaseException:
        if made:
            client.indices.delete(index=sorted(made.values()), ignore_unavailable=True)
        raise
    return made


def _switched(client: Elasticsearch, old: Mapping[str, str], new: Mapping[str, str]) -> ReindexReport:
    counts = _count(client, old.values()), _count(client, new.values())
    switch(client, Alias.METRICS, add=sorted(new.values()), remove=sorted(old.values()))
    for day, index in new.items():
        notes.remember(client, index, replaces=old.get(day))
    logger.info("reload days=%s documents=%s before=%s", ",".join(new), counts[1], counts[0])
    return ReindexReport(Alias.METRICS, _named(old), _named(new), counts[1], 0, *counts)


def _named(indices: Mapping[str, str]) -> str:
    return ", ".join(sorted(indices.values())) or "nothing"


def _count(client: Elasticsearch, indices: Iterable[str]) -> int:
    names = sorted(indices)
    return int(client.count(index=names)["count"]) if names else 0


def go_back(client: Elasticsearch) -> list[str]:
    """Put the days' indices back that the last loading replaced, as far as no handover has replaced them since.

    Returns:
        Names of the indices that are back.

    Raises:
        ConfigurationError: If there is none to go back to.
    """
    pairs = {
        index: previous
        for index in indices_behind(client, Alias.METRICS)
        if (previous := notes.remembered(client, index).get(notes.REPLACES)) and client.indices.exists(index=previous)
    }
    if not pairs:
        raise ConfigurationError("metrics cannot go back: no day was loaded again since the last handover of it")
    switch(client, Alias.METRICS, add=sorted(pairs.values()), remove=sorted(pairs))
    for index in pairs:
        notes.remember(client, index, replaces=None)
    return sorted(pairs.values())
