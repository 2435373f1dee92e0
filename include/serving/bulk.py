"""Writing many documents at once, from text that is already NDJSON: the speed layer builds it in Spark.

Elasticsearch's own client would parse and build every document again; here a document is never more than a string.
"""

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx

from include.config import Settings
from include.errors import PartUnavailableError
from include.names import Part
from include.trust import trust

logger = logging.getLogger(__name__)

_CHUNK_BYTES: Final = 4 * 1024 * 1024
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 5.0
# What passes by itself: too busy, no master yet, a shard that is not started.
_PASSING: Final = frozenset({408, 429, 502, 503, 504})
_CONFLICT: Final = 409
_BAD_REQUEST: Final = 400
_FIRST_ERROR: Final = 300


class Document(NamedTuple):
    """One document to write.

    Attributes:
        action: What to do, as JSON: ``{"index":{"_id":"..."}}``.
        source: The document, as JSON.
    """

    action: str
    source: str


@dataclass(frozen=True)
class Refusal:
    """A document that Elasticsearch will never take as it is."""

    document: Document
    status: int
    reason: str


@dataclass(frozen=True)
class BulkResult:
    """What became of the documents.

    Attributes:
        written: How many are stored.
        superseded: How many were not stored because a newer version is there, which is as good.
        refused: Those that Elasticsearch refused for themselves.
    """

    written: int
    superseded: int
    refused: tuple[Refusal, ...]


class BulkWriter:
    """Sends documents until each is stored or refused; one writer serves one thread."""

    def __init__(
        self,
        *urls: str,
        api_key: str | None = None,
        ca_file: Path | None = None,
        give_up_seconds: float = 600.0,
        stop: threading.Event | None = None,
        on_wait: Callable[[str, float], None] | None = None,
        at_once: bool = False,
    ) -> None:
        """Store what is needed.

        Args:
            *urls: Addresses of Elasticsearch's nodes; after one that does not answer the next is asked.
            api_key: API key, where it asks for one.
            ca_file: Who signed its certificate, in PEM format; the known authorities otherwise.
            give_up_seconds: How long to wait for an Elasticsearch that is busy or away before the error is raised.
            stop: When set, waiting ends at once with the error.
            on_wait: Told why it waits, and for how long it did so far.
            at_once: Searches find what was sent when it returns, instead of at the index's next refresh: for a few
                requests a second at most.
        """
        headers = {"Content-Type": "application/x-ndjson"} | ({"Authorization": f"ApiKey {api_key}"} if api_key else {})
        self._http = httpx.Client(headers=headers, timeout=httpx.Timeout(30.0, connect=3.0), verify=trust(ca_file))
        self._urls = urls
        self._turn = 0
        self._give_up_seconds = give_up_seconds
        self._stop = stop or threading.Event()
        self._on_wait = on_wait
        self._parameters = {
            "filter_path": "errors,items.*.status,items.*.error.type,items.*.error.reason",
            "refresh": "true" if at_once else "false",
        }

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, index: str, documents: Sequence[Document]) -> BulkResult:
        """Write documents into an index that exists.

        Raises:
            PartUnavailableError: If Elasticsearch stays busy or away, is told to stop meanwhile, or answers what only
                a person can mend (no such index, not allowed). What was sent may be stored in part: send all again.
        """
        written = superseded = 0
        refused: list[Refusal] = []
        for chunk in _chunks(documents):
            result = self._send_chunk(index, chunk)
            written += result.written
            superseded += result.superseded
            refused.extend(result.refused)
        return BulkResult(written, superseded, tuple(refused))

    def _send_chunk(self, index: str, documents: Sequence[Document]) -> BulkResult:
        waiting = list(documents)
        written = superseded = 0
        refused: list[Refusal] = []
        started, attempt = time.monotonic(), 0
        while waiting:
            items, problem = self._post(index, waiting)
            again: list[Document] = []
            for document, item in zip(waiting, items, strict=False):
                status = int(item["status"])
                if status < _FIRST_ERROR:
                    written += 1
                elif status == _CONFLICT:
                    superseded += 1
                elif status in _PASSING:
                    again.append(document)
                    problem = _reason(item)
                elif status == _BAD_REQUEST:
                    refused.append(Refusal(document, status, _reason(item)))
                else:
                    raise PartUnavailableError(Part.ELASTICSEARCH, f"{index}: {status} {_reason(item)}")
            waiting = again if items else waiting
            if waiting:
                self._wait(attempt, time.monotonic() - started, problem)
                attempt += 1
        return BulkResult(written, superseded, tuple(refused))

    def _post(self, index: str, documents: Sequence[Document]) -> tuple[list[dict[str, Any]], str]:
        body = "".join(f"{document.action}\n{document.source}\n" for document in documents)
        try:
            answer = self._http.post(
                f"{self._urls[self._turn % len(self._urls)]}/{index}/_bulk",
                content=body.encode(),
                params=self._parameters,
            )
        except httpx.TransportError as error:
            self._turn += 1
            return [], f"no answer ({type(error).__name__})"
        if answer.status_code in _PASSING:
            return [], f"answers {answer.status_code}: {answer.text[:200]}"
        if answer.status_code != httpx.codes.OK:
            raise PartUnavailableError(Part.ELASTICSEARCH, f"{index}: {answer.status_code} {answer.text[:500]}")
        items = [next(iter(item.values())) for item in json.loads(answer.content)["items"]]
        if len(items) != len(documents):
            raise PartUnavailableError(
                Part.ELASTICSEARCH, f"{index}: {len(items)} answers to {len(documents)} documents; nothing is assumed"
            )
        return items, ""

    def _wait(self, attempt: int, waited: float, problem: str) -> None:
        if waited >= self._give_up_seconds:
            raise PartUnavailableError(Part.ELASTICSEARCH, f"{problem}, for {waited:.0f} s")
        longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
        # A half of it by chance, so that several writers do not come back together.
        pause = longest * (0.5 + random.random() / 2)  # noqa: S311
        logger.warning(
            "elasticsearch=waiting reason=%r waited_seconds=%.1f next_try_seconds=%.2f", problem, waited, pause
        )
        if self._on_wait:
            self._on_wait(problem, waited)
        if self._stop.wait(pause):
            raise PartUnavailableError(Part.ELASTICSEARCH, f"{problem}; stopped while waiting")


def bulk_writer(settings: Settings, **options: Any) -> BulkWriter:
    """A writer to the platform's Elasticsearch."""
    key = settings.elasticsearch_api_key
    return BulkWriter(
        *settings.search_urls,
        api_key=key.get_secret_value() if key else None,
        ca_file=settings.elasticsearch_ca_file,
        **options,
    )


def _reason(item: dict[str, Any]) -> str:
    error = item.get("error", {})
    return f"{error.get('type', 'unknown')}: {error.get('reason', 'no reason given')}"


def _chunks(documents: Sequence[Document]) -> Iterator[Sequence[Document]]:
    start = size = 0
    for position, document in enumerate(documents):
        length = len(document.action) + len(document.source) + 2
        if size + length > _CHUNK_BYTES and position > start:
            yield documents[start:position]
            start, size = position, 0
        size += length
    if start < len(documents):
        yield documents[start:]
