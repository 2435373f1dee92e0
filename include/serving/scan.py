"""Reading an index to its end, whatever is written meanwhile; and what was written to it since a moment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from elasticsearch import Elasticsearch

_PAGE: Final = 1000
_KEEP_ALIVE: Final = "2m"

# Highest sequence number by shard: what was written so far.
Marks = Mapping[int, int]


@dataclass(frozen=True)
class Document:
    """A document as it is stored.

    Attributes:
        id: Its id.
        source: Its content.
        version: Its version, where it must stay what it is because a writer compares it.
    """

    id: str
    source: Mapping[str, Any]
    version: int | None = None


def documents_of(client: Elasticsearch, index: str, query: Mapping[str, Any] | None = None) -> Iterator[Document]:
    """Every document that the index holds at the first step, in no promised order."""
    for hit in _hits(client, index, dict(query or {"match_all": {}}), preference=None):
        yield Document(hit["_id"], hit["_source"], hit["_version"])


def marks_of(client: Elasticsearch, index: str) -> dict[int, int]:
    """Where the writing stands, by shard."""
    shards = client.indices.stats(index=index, level="shards")["indices"][index]["shards"]
    return {
        int(number): int(copy["seq_no"]["max_seq_no"])
        for number, copies in shards.items()
        for copy in copies
        if copy["routing"]["primary"]
    }


def changes_of(client: Elasticsearch, index: str, since: Marks) -> Iterator[Document]:
    """Documents written or overwritten since the marks, in their newest state; deletions leave no trace here."""
    client.indices.refresh(index=index)
    for shard, mark in since.items():
        query = {"range": {"_seq_no": {"gt": mark}}}
        for hit in _hits(client, index, query, preference=f"_shards:{shard}"):
            yield Document(hit["_id"], hit["_source"], hit["_version"])


def _hits(client: Elasticsearch, index: str, query: dict[str, Any], preference: str | None) -> Iterator[dict[str, Any]]:
    pit = client.open_point_in_time(index=index, keep_alive=_KEEP_ALIVE, preference=preference)["id"]
    try:
        after: Sequence[Any] | None = None
        while True:
            answer = client.search(
                pit={"id": pit, "keep_alive": _KEEP_ALIVE},
                query=query,
                size=_PAGE,
                sort=[{"_shard_doc": "asc"}],
                search_after=after,
                track_total_hits=False,
                version=True,
            )
            hits = answer["hits"]["hits"]
            yield from hits
            if len(hits) < _PAGE:
                return
            after, pit = hits[-1]["sort"], answer["pit_id"]
    finally:
        client.close_point_in_time(id=pit)
