"""Pages of documents: filters from what was asked, and cursors that go on where a page ended."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from include.names import Alias
from include.serving.api.questions import EventQuestion, Paged, Question, Ranged
from include.serving.api.store import Store
from include.serving.freshness import iso

_KEEP_ALIVE: Final = "2m"
# Marked as personal in the contracts; nobody needs them to read an event or a review.
PERSONAL: Final = ("card_id", "device_id", "latitude", "longitude")
_NOT_FILTERS: Final = frozenset({"limit", "cursor", "since", "until", "q", "sort", "rating_min", "rating_max"})


class CursorError(ValueError):
    """Raised when a cursor was not made by this API for this question."""


async def page(
    store: Store,
    alias: Alias,
    question: Paged,
    sort: Sequence[Mapping[str, Any]],
    time_field: str | None,
    now: datetime,
) -> dict[str, Any]:
    """One page and the cursor of the next; all pages show the alias as it was at the first.

    Raises:
        CursorError: If the cursor is not one of this question.
        PartUnavailableError: If Elasticsearch does not answer.
    """
    question_hash = _hash(alias, question)
    if question.cursor:
        view, after = _opened(question.cursor, question_hash)
    else:
        view, after = await store.open_point_in_time(alias, _KEEP_ALIVE), None
    body: dict[str, Any] = {
        "pit": {"id": view, "keep_alive": _KEEP_ALIVE},
        "size": question.limit,
        "track_total_hits": False,
        "query": {"bool": {"filter": _filters(question, time_field, now)}},
        "sort": [*sort, {"_shard_doc": "asc"}],
        "source_excludes": list(PERSONAL),
    }
    if after:
        body["search_after"] = after
    answer = await store.search(None, body)
    hits = answer["hits"]["hits"]
    following = None
    if len(hits) < question.limit:
        # Where there was a page before, others may have its cursor too: the view ends by itself.
        if not question.cursor:
            await store.close_point_in_time(answer["pit_id"])
    else:
        following = _sealed(answer["pit_id"], hits[-1]["sort"], question_hash)
    return {"items": [{"id": hit["_id"], **hit["_source"]} for hit in hits], "next_cursor": following}


def _filters(question: Question, time_field: str | None, now: datetime) -> list[dict[str, Any]]:
    filters: list[dict[str, Any]] = []
    for name, value in question.model_dump(exclude_none=True).items():
        if name in _NOT_FILTERS or value == []:
            continue
        filters.append({"terms" if isinstance(value, list) else "term": {name: value}})
    if time_field and isinstance(question, Ranged):
        since, until = question.span(now)
        filters.append({"range": {time_field: {"gte": iso(since), "lt": iso(until)}}})
    if isinstance(question, EventQuestion):
        filters += _event_filters(question)
    return filters


def _event_filters(question: EventQuestion) -> list[dict[str, Any]]:
    filters: list[dict[str, Any]] = []
    if question.q:
        # A match query knows no operators: there is nothing to inject.
        words = {"query": question.q, "fields": ["text", "query"], "operator": "and", "type": "cross_fields"}
        filters.append({"multi_match": words})
    bounds = {"gte": question.rating_min, "lte": question.rating_max}
    if stars := {name: value for name, value in bounds.items() if value is not None}:
        filters.append({"range": {"rating": stars}})
    return filters


def _hash(alias: Alias, question: Paged) -> str:
    text = alias.value + question.model_dump_json(exclude={"cursor", "limit"})
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _sealed(view: str, after: Sequence[Any], question_hash: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([question_hash, view, after]).encode()).decode()


def _opened(cursor: str, question_hash: str) -> tuple[str, list[Any]]:
    try:
        asked, view, after = json.loads(base64.urlsafe_b64decode(cursor))
    except ValueError as error:
        raise CursorError("cursor: not one of this API's; leave it out for the first page") from error
    if asked != question_hash or not isinstance(view, str) or not isinstance(after, list):
        raise CursorError("cursor: it belongs to other filters; leave it out for the first page")
    return view, after
