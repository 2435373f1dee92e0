"""A person in Elasticsearch: found, and replaced or deleted, also in indices that no alias shows any longer."""

import json
from collections.abc import Iterator
from typing import Any, Final

from elasticsearch import Elasticsearch

from include.erasure.person import Person, erased_document
from include.names import Alias

# Few documents, whose texts may name a person anywhere; events are many, and name it in one field.
_READ_WHOLE: Final = (Alias.FRAUD_ALERTS, Alias.ALERTS)
_BY_FIELD: Final = {Alias.EVENTS: "user_id", Alias.RECOMMENDATIONS: "subject_id"}
# What is made for one person only.
_DELETED: Final = frozenset({Alias.RECOMMENDATIONS})
_PAGE: Final = 1_000


def documents_of(client: Elasticsearch, who: Person) -> Iterator[tuple[Alias, dict[str, Any]]]:
    """Every document that names the person."""
    from elasticsearch.helpers import scan

    for alias, field in _BY_FIELD.items():
        query: dict[str, Any] = {"query": {"term": {field: who.user_id}}}
        for hit in _scanned(scan, client, alias, query):
            yield alias, hit
    for alias in _READ_WHOLE:
        for hit in _scanned(scan, client, alias, {"query": {"match_all": {}}}):
            if names(hit["_source"], who):
                yield alias, hit


def _scanned(scan: Any, client: Elasticsearch, alias: Alias, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    pattern = f"{alias.value}-*"
    client.indices.refresh(index=pattern, ignore_unavailable=True)
    query |= {"seq_no_primary_term": True}
    yield from scan(client, query=query, index=pattern, size=_PAGE, ignore_unavailable=True)


def names(node: Any, who: Person) -> bool:
    """Whether a value, or a word of a text, anywhere in a document is the person's id."""
    if isinstance(node, dict):
        return any(names(value, who) for value in node.values())
    if isinstance(node, list):
        return any(names(value, who) for value in node)
    return isinstance(node, str) and who.is_named_in(node)


def count(client: Elasticsearch, who: Person) -> dict[str, int]:
    """How many documents of each alias name the person."""
    found: dict[str, int] = {}
    for alias, _ in documents_of(client, who):
        found[f"elasticsearch.{alias.value}"] = found.get(f"elasticsearch.{alias.value}", 0) + 1
    return found


def erase(client: Elasticsearch, who: Person) -> dict[str, int]:
    """Put the pseudonym in the person's place; delete what was made for the person only.

    Returns:
        How many documents of each alias were changed.

    Raises:
        elasticsearch.helpers.BulkIndexError: If a document changed meanwhile; erase again.
    """
    from elasticsearch.helpers import bulk

    done: dict[str, int] = {}
    actions = []
    for alias, hit in documents_of(client, who):
        action = {
            "_index": hit["_index"],
            "_id": hit["_id"],
            "if_seq_no": hit["_seq_no"],
            "if_primary_term": hit["_primary_term"],
        }
        if alias in _DELETED:
            actions.append({**action, "_op_type": "delete"})
        else:
            source = erased_document(hit["_source"], who)
            actions.append({**action, "_op_type": "index", "_source": json.loads(json.dumps(source))})
        done[f"elasticsearch.{alias.value}"] = done.get(f"elasticsearch.{alias.value}", 0) + 1
    bulk(client, actions, refresh=True)
    return done
