"""Writing documents into an index that nobody reads yet, and checksums of what was written."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from elasticsearch import Elasticsearch
from elasticsearch.helpers import streaming_bulk

from include.errors import ConfigurationError
from include.names import Alias
from include.serving.scan import Document

# Small requests, so that live writes are served between them.
_CHUNK: Final = 500
_CHUNK_BYTES: Final = 2 * 1024 * 1024
_RETRIES: Final = 10
_TIME_FIELDS: Final = {
    Alias.METRICS: "window_start",
    Alias.PIPELINE_HEALTH: "time",
    Alias.ALERTS: "time",
    Alias.RECOMMENDATIONS: "processed_at",
}
_DAY: Final = len("2026-01-31")


class Checksums:
    """Number of documents and a sum of their contents' hashes, by day; the order of documents does not matter."""

    def __init__(self, alias: Alias) -> None:
        self._time_field = _TIME_FIELDS.get(alias, "event_time")
        self.by_day: dict[str, tuple[int, int]] = {}

    def add(self, document: Document) -> None:
        """Count a document."""
        day = str(document.source.get(self._time_field) or "without time")[:_DAY]
        text = json.dumps([document.id, document.source], sort_keys=True, ensure_ascii=False)
        number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
        count, total = self.by_day.get(day, (0, 0))
        self.by_day[day] = (count + 1, (total + number) % 2**64)

    def of(self, documents: Iterable[Document]) -> Iterator[Document]:
        """The same documents, counted on their way."""
        for document in documents:
            self.add(document)
            yield document

    @property
    def count(self) -> int:
        """All documents."""
        return sum(count for count, _ in self.by_day.values())

    def differences(self, other: "Checksums") -> list[str]:
        """The days in which the two differ, for people; empty when both hold the same."""
        found = []
        for day in sorted(self.by_day.keys() | other.by_day.keys()):
            ours, theirs = self.by_day.get(day, (0, 0)), other.by_day.get(day, (0, 0))
            if ours[0] != theirs[0]:
                found.append(f"{day}: {ours[0]} documents against {theirs[0]}")
            elif ours != theirs:
                found.append(f"{day}: other contents in {ours[0]} documents")
        return found


def load(client: Elasticsearch, index: str, documents: Iterable[Document]) -> int:
    """Write documents, waiting where Elasticsearch is busy.

    Returns:
        How many were written.

    Raises:
        ConfigurationError: If a document does not fit the index; names the document, the field and what is wrong.
    """
    written = 0
    for done, item in streaming_bulk(
        client,
        (_action(index, document) for document in documents),
        chunk_size=_CHUNK,
        max_chunk_bytes=_CHUNK_BYTES,
        max_retries=_RETRIES,
        initial_backoff=0.2,
        max_backoff=5,
        raise_on_error=False,
    ):
        if not done:
            raise misfit(index, item)
        written += 1
    return written


def _action(index: str, document: Document) -> dict[str, Any]:
    action: dict[str, Any] = {"_op_type": "index", "_index": index, "_id": document.id, "_source": document.source}
    if document.version is not None:
        action |= {"version": document.version, "version_type": "external_gte"}
    return action


def misfit(index: str, item: Mapping[str, Mapping[str, Any]]) -> ConfigurationError:
    """The error for an item of a bulk answer that was refused for itself."""
    (result,) = item.values()
    error = result.get("error", {})
    cause = error.get("caused_by", {}).get("reason")
    reason = f"{error.get('reason', error)}{f' ({cause})' if cause else ''}"
    return ConfigurationError(
        f"document {result.get('_id')} does not fit {index}: {reason}. Nothing was switched; correct the document at "
        f"its source or the mapping in include/serving/index_templates/"
    )
