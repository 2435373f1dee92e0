"""A reindex with its sources: the lake, files, or the index itself."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from include.config import Settings
from include.errors import ConfigurationError
from include.handover.reload import go_back, reload
from include.handover.submit import submit
from include.names import Alias
from include.serving.client import connect, reachable
from include.serving.documents import documents_in
from include.serving.reindex import ReindexReport, reindex, rollback

_EXPORT_JOBS: Final = {Alias.EVENTS: "export_events.py", Alias.METRICS: "export_metrics.py"}


def rebuild(
    settings: Settings,
    alias: Alias,
    *,
    from_lake: bool = False,
    folder: Path | None = None,
    allow_fewer: bool = False,
) -> ReindexReport:
    """Rebuild the index behind an alias.

    Args:
        settings: The platform's settings.
        alias: The alias.
        from_lake: Export the documents from silver or gold first; what only the present index has yet is taken along.
        folder: Take the documents from files instead (see ``documents_in``).
        allow_fewer: Whether the new index may hold fewer documents than the present one.

    Raises:
        ConfigurationError: If it cannot be done (see ``reindex``); nothing changes then.
        PartUnavailableError: If Elasticsearch does not answer or the export fails.
    """
    with reachable(settings), connect(settings, timeout_seconds=60) as client:
        if from_lake and alias is Alias.METRICS:
            with _folder(settings) as empty:
                return reload(settings, client, empty, partial(_export, settings, alias), allow_fewer=allow_fewer)
        if from_lake:
            with _folder(settings) as exported:
                _export(settings, alias, exported)
                newer = beyond(json.loads((exported / "result.json").read_text(encoding="utf-8"))["end_offsets"])
                return reindex(client, alias, documents_in(exported), newer=newer, allow_fewer=allow_fewer)
        return reindex(client, alias, documents_in(folder) if folder else None, allow_fewer=allow_fewer)


def put_back(settings: Settings, alias: Alias) -> str:
    """Put back what the last rebuilding replaced; returns the names of the indices that are back.

    Raises:
        ConfigurationError: If there is nothing to go back to.
        PartUnavailableError: If Elasticsearch does not answer.
    """
    with reachable(settings), connect(settings, timeout_seconds=60) as client:
        return ", ".join(go_back(client)) if alias is Alias.METRICS else rollback(client, alias)


def _export(settings: Settings, alias: Alias, folder: Path) -> None:
    if alias not in _EXPORT_JOBS:
        known = ", ".join(_EXPORT_JOBS)
        raise ConfigurationError(f"{alias.value} has no source in the lake, only {known}; leave --from-lake out")
    submit(settings, _EXPORT_JOBS[alias], [str(folder)])


@contextmanager
def _folder(settings: Settings) -> Iterator[Path]:
    """A place for an export, on the disk that has room for it."""
    settings.platform_data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="export-", dir=settings.platform_data_dir) as name:
        yield Path(name) / "documents"


def beyond(end_offsets: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """A query for the events that were read from Kafka after the offsets (each the first that is not included)."""
    covered = [
        {
            "bool": {
                "filter": [
                    {"term": {"topic": topic}},
                    {"term": {"partition": int(partition)}},
                    {"range": {"offset": {"lt": end}}},
                ]
            }
        }
        for topic, partitions in end_offsets.items()
        for partition, end in partitions.items()
    ]
    return {"bool": {"must_not": covered}}
