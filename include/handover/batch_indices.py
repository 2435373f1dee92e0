"""The indices that a batch run makes: one for each day, filled and checked before anybody reads them."""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Final

from elasticsearch import Elasticsearch

from include.config import Settings
from include.errors import PlatformError
from include.handover.cells import MEASURES
from include.serving.aliases import create_index
from include.serving.bulk import Document, bulk_writer
from include.serving.indices import BATCH_PREFIX

_TOGETHER: Final = 5_000
_DAY_LENGTH: Final = len("2026-11-24")


class IncompleteIndexError(PlatformError):
    """Raised when a new index does not hold what was computed for it; nothing was switched."""


def batch_index(day: str, run_id: str) -> str:
    """Name of the index of a day."""
    return f"{BATCH_PREFIX}-{day}-{run_id}"


def day_of(index: str) -> str | None:
    """The day of a batch index; None for any other index."""
    prefix = f"{BATCH_PREFIX}-"
    return index[len(prefix) : len(prefix) + _DAY_LENGTH] if index.startswith(prefix) else None


def _documents(folder: Path) -> Iterator[Document]:
    for path in sorted(folder.glob("part-*")):
        with path.open(encoding="utf-8") as lines:
            for action in lines:
                yield Document(action.rstrip("\n"), next(lines).rstrip("\n"))


def fill(client: Elasticsearch, settings: Settings, index: str, folder: Path) -> int:
    """Make the index anew from the lines of a folder and make them visible; returns the number of documents.

    Raises:
        IncompleteIndexError: If Elasticsearch refuses a document; says which and why.
    """
    client.indices.delete(index=index, ignore_unavailable=True)
    create_index(client, index)
    writer = bulk_writer(settings)
    written = 0
    try:
        documents = _documents(folder)
        while batch := list(islice(documents, _TOGETHER)):
            result = writer.send(index, batch)
            if result.refused:
                refusal = result.refused[0]
                raise IncompleteIndexError(
                    f"{index}: {len(result.refused)} document(s) refused, the first because {refusal.reason}: "
                    f"{refusal.document.source[:500]}"
                )
            written += result.written
    finally:
        writer.close()
    client.indices.refresh(index=index)
    return written


def verify(client: Elasticsearch, index: str, expected: Mapping[str, int]) -> None:
    """Check that an index holds as many documents, and the same sums of the dimension ``all``, as were computed.

    Raises:
        IncompleteIndexError: If it does not; says which number is wrong.
    """
    answer = client.search(
        index=index,
        size=0,
        track_total_hits=True,
        aggregations={
            "all": {
                "filter": {"term": {"dimension": "all"}},
                "aggregations": {name: {"sum": {"field": name}} for name in MEASURES},
            }
        },
    )
    found = {name: round(answer["aggregations"]["all"][name]["value"]) for name in MEASURES}
    found["documents"] = int(answer["hits"]["total"]["value"])
    wrong = [f"{name} is {found[name]}, computed {expected[name]}" for name in found if found[name] != expected[name]]
    if wrong:
        raise IncompleteIndexError(f"{index}: {'; '.join(wrong)}. The old view stays; run the handover again")
