"""One index takes the place of another behind an alias while others read and write: nothing is lost or seen half.

1. Writes to the alias go to the new index, whose documents no reader sees yet (a filter on its place in the alias).
2. What reached the old index until then is carried over, without overwriting what is newer.
3. Readers go to the new index, in one atomic action.

Between 1 and 3, a second or two, readers see the state of 1.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from elasticsearch import Elasticsearch
from elasticsearch.helpers import streaming_bulk

from include.names import Alias
from include.serving import notes
from include.serving.loading import misfit
from include.serving.scan import Document, Marks, changes_of, marks_of

_PART: Final = 500
# A write that found its index before step 1 arrives within this time, or is carried over after step 3.
_QUIET_SECONDS: Final = 0.5
_CONFLICT: Final = 409


def take_over(client: Elasticsearch, alias: Alias, old: str, new: str, since: Marks) -> None:
    """Put the new index in the old one's place.

    Args:
        client: Connection to Elasticsearch.
        alias: The alias.
        old: The index behind it.
        new: An index that holds what the old one held at ``since``.
        since: Marks of the old index.

    Raises:
        ConfigurationError: If a document of the old index does not fit the new one; the old one is back in place.
    """
    marks = marks_of(client, new)
    # For the way back, also after a crash.
    notes.remember(client, new, marks={str(shard): mark for shard, mark in marks.items()})
    _move_writes(client, alias, old, new)
    try:
        seen = _carry_until_quiet(client, old, new, since, marks)
        client.indices.refresh(index=new)
    except Exception:
        give_back(client, alias, old, new, marks)
        raise
    actions: list[dict[str, Any]] = [
        {"remove": {"index": old, "alias": alias.value, "must_exist": True}},
        # Without its filter: an alias added again replaces the former.
        {"add": {"index": new, "alias": alias.value, "is_write_index": True}},
    ]
    client.indices.update_aliases(actions=actions)
    carry(client, changes_of(client, old, seen), new, marks)


def marks_from(kept: Mapping[str, Any]) -> dict[int, int]:
    """The marks among an index's notes."""
    return {int(shard): int(mark) for shard, mark in kept[notes.MARKS].items()}


def give_back(client: Elasticsearch, alias: Alias, old: str, new: str, marks: Marks) -> None:
    """Undo step 1: writes go to the old index again, and what reached the new one is carried there."""
    before = marks_of(client, old)
    actions: list[dict[str, Any]] = [
        {"remove": {"index": new, "alias": alias.value}},
        {"add": {"index": old, "alias": alias.value, "is_write_index": True}},
    ]
    client.indices.update_aliases(actions=actions)
    time.sleep(_QUIET_SECONDS)
    carry(client, changes_of(client, new, marks), old, before)


def hidden_index(client: Elasticsearch, alias: Alias) -> str | None:
    """The index that a take-over left half way in step 2; None when there is none."""
    found = client.indices.get_alias(name=alias.value).body
    hidden = [index for index, entry in found.items() if "match_none" in str(entry["aliases"][alias.value])]
    return hidden[0] if hidden else None


def _move_writes(client: Elasticsearch, alias: Alias, old: str, new: str) -> None:
    actions: list[dict[str, Any]] = [
        {"add": {"index": old, "alias": alias.value, "is_write_index": False}},
        {"add": {"index": new, "alias": alias.value, "is_write_index": True, "filter": {"match_none": {}}}},
    ]
    client.indices.update_aliases(actions=actions)


def _carry_until_quiet(client: Elasticsearch, old: str, new: str, since: Marks, marks: Marks) -> dict[int, int]:
    seen = dict(since)
    while True:
        reached = marks_of(client, old)
        carry(client, changes_of(client, old, seen), new, marks)
        time.sleep(_QUIET_SECONDS)
        seen = reached
        if marks_of(client, old) == reached:
            return seen


def carry(client: Elasticsearch, documents: Iterator[Document], index: str, marks: Marks) -> int:
    """Write documents into an index, except those that somebody else wrote there after the marks.

    Returns:
        How many were written.
    """
    written = 0
    while part := list(islice(documents, _PART)):
        actions = list(_guarded(client, part, index, marks))
        for done, item in streaming_bulk(client, actions, raise_on_error=False, max_retries=10, initial_backoff=0.2):
            (result,) = item.values()
            # A conflict: a newer state was written in this very moment, and stays.
            if not done and result["status"] != _CONFLICT:
                raise misfit(index, item)
            written += done
    return written


def _guarded(
    client: Elasticsearch, documents: Sequence[Document], index: str, marks: Marks
) -> Iterator[dict[str, Any]]:
    present: dict[str, tuple[int, int] | None] = {}
    client.indices.refresh(index=index)
    for shard, mark in marks.items():
        answer = client.search(
            index=index,
            query={"ids": {"values": [document.id for document in documents]}},
            size=len(documents),
            source=False,
            seq_no_primary_term=True,
            preference=f"_shards:{shard}",
        )
        for hit in answer["hits"]["hits"]:
            present[hit["_id"]] = (hit["_seq_no"], hit["_primary_term"]) if hit["_seq_no"] <= mark else None
    for document in documents:
        action = {"_index": index, "_id": document.id, "_source": document.source}
        if document.id not in present:
            yield action | {"_op_type": "create"}
        elif (state := present[document.id]) is not None:
            yield action | {"_op_type": "index", "if_seq_no": state[0], "if_primary_term": state[1]}
