"""What the platform notes on an index, kept in its mapping, so that it lives and dies with the index."""

from datetime import UTC, datetime
from typing import Any, Final

from elasticsearch import Elasticsearch

# The index that this one replaced, and the marks of this one when writes began to reach it.
REPLACES: Final = "replaces"
MARKS: Final = "marks"
# Since when the index is no longer behind its alias.
RELEASED_AT: Final = "released_at"


def remembered(client: Elasticsearch, index: str) -> dict[str, Any]:
    """The notes on an index."""
    (mapping,) = client.indices.get_mapping(index=index).body.values()
    notes: dict[str, Any] = mapping["mappings"].get("_meta", {})
    return notes


def remember(client: Elasticsearch, index: str, **notes: Any) -> None:
    """Note something on an index, beside what is noted already; None removes a note."""
    meta = {name: note for name, note in (remembered(client, index) | notes).items() if note is not None}
    client.indices.put_mapping(index=index, meta=meta)


def now() -> str:
    """This moment, as notes carry it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
