"""Rebuilding the index behind an alias, with a way back."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from elasticsearch import Elasticsearch, NotFoundError

from include.errors import ConfigurationError
from include.names import Alias
from include.serving import notes
from include.serving.aliases import indices_behind, next_index
from include.serving.indices import template_of
from include.serving.loading import Checksums, load
from include.serving.scan import Document, documents_of, marks_of
from include.serving.takeover import carry, give_back, hidden_index, marks_from, take_over

logger = logging.getLogger(__name__)

# Several indices stand behind it: see include/handover/reload.py.
_NOT_HERE: Final = Alias.METRICS


@dataclass(frozen=True)
class ReindexReport:
    """What a reindex did.

    Attributes:
        alias: The alias.
        old: The index that stood behind it; kept for ``rollback`` until housekeeping deletes it.
        new: The index that stands behind it now.
        loaded: Documents from the source.
        carried: Documents that only the old index had, because the source does not reach that far.
        old_count: Documents of the old index before.
        new_count: Documents of the new index after.
    """

    alias: Alias
    old: str
    new: str
    loaded: int
    carried: int
    old_count: int
    new_count: int


def reindex(
    client: Elasticsearch,
    alias: Alias,
    documents: Iterable[Document] | None = None,
    *,
    newer: Mapping[str, Any] | None = None,
    allow_fewer: bool = False,
) -> ReindexReport:
    """Build a new index from its template, check it, and put it behind the alias; reads and writes go on.

    Args:
        client: Connection to Elasticsearch.
        alias: The alias; all but ``metrics``.
        documents: What the new index shall hold; the old index's documents by default.
        newer: A query for those documents of the old index that the source cannot have yet; they are taken along.
        allow_fewer: Whether the new index may hold fewer documents than the old one.

    Raises:
        ConfigurationError: If a document does not fit (it is named), the new index does not hold what was written, or
            it holds fewer documents than the old one. Nothing changes then.
    """
    old = _the_index(client, alias)
    new = next_index(client, alias)
    client.indices.create(index=new, settings={"refresh_interval": "-1"})
    try:
        since = marks_of(client, old)
        client.indices.refresh(index=old)
        old_count = _count(client, old)
        loaded = _fill(client, alias, new, documents if documents is not None else documents_of(client, old))
        carried = carry(client, documents_of(client, old, newer), new, marks_of(client, new)) if newer else 0
        _require_as_many(client, alias, new, old_count, allow_fewer)
        wanted = template_of(alias)["template"]["settings"]["index"]
        client.indices.put_settings(index=new, settings={"refresh_interval": wanted["refresh_interval"]})
        take_over(client, alias, old, new, since)
    except BaseException:
        _discard(client, alias, new)
        raise
    notes.remember(client, new, replaces=old)
    notes.remember(client, old, released_at=notes.now())
    report = ReindexReport(alias, old, new, loaded, carried, old_count, _count(client, new))
    logger.info("reindex alias=%s old=%s new=%s loaded=%s carried=%s", alias, old, new, loaded, carried)
    return report


def rollback(client: Elasticsearch, alias: Alias) -> str:
    """Put the index before the last reindex back behind the alias, with all that was written since.

    Returns:
        Name of the index that is back.

    Raises:
        ConfigurationError: If there is nothing to go back to, or a newer document does not fit it.
    """
    current = _the_index(client, alias)
    kept = notes.remembered(client, current)
    previous = kept.get(notes.REPLACES)
    if not previous or not client.indices.exists(index=previous):
        raise ConfigurationError(
            f"{alias.value} cannot go back: {current} replaced {previous or 'no index'}"
            f"{', which was deleted' if previous else ''}. Rebuild it: python main.py reindex {alias.value}"
        )
    take_over(client, alias, current, previous, marks_from(kept))
    notes.remember(client, previous, released_at=None)
    notes.remember(client, current, released_at=notes.now(), replaces=None)
    logger.info("rollback alias=%s from=%s to=%s", alias, current, previous)
    return str(previous)


def _the_index(client: Elasticsearch, alias: Alias) -> str:
    if alias is _NOT_HERE:
        raise ConfigurationError(
            f"{alias.value} has one index for each segment and day; the days are loaded again from gold: "
            f"python main.py reindex {alias.value} --from-lake"
        )
    behind = indices_behind(client, alias)
    if len(behind) == 2 and (hidden := hidden_index(client, alias)):
        (old,) = (index for index in behind if index != hidden)
        logger.warning("reindex alias=%s found=%s left half way; giving back to %s", alias, hidden, old)
        give_back(client, alias, old, hidden, marks_from(notes.remembered(client, hidden)))
        behind = [old]
    if len(behind) != 1:
        raise ConfigurationError(
            f"{alias.value} has {len(behind)} indices behind it ({', '.join(behind)}), one is needed; "
            "python main.py indices install makes a missing one"
        )
    return behind[0]


def _fill(client: Elasticsearch, alias: Alias, new: str, documents: Iterable[Document]) -> int:
    sent, found = Checksums(alias), Checksums(alias)
    loaded = load(client, new, sent.of(documents))
    client.indices.refresh(index=new)
    for document in documents_of(client, new):
        found.add(document)
    if differences := sent.differences(found):
        raise ConfigurationError(
            f"{new} does not hold what was written to it (an id may have come twice): {'; '.join(differences[:5])}. "
            "Nothing was switched"
        )
    return loaded


def _require_as_many(client: Elasticsearch, alias: Alias, new: str, old_count: int, allow_fewer: bool) -> None:
    client.indices.refresh(index=new)
    count = _count(client, new)
    if count < old_count and not allow_fewer:
        raise ConfigurationError(
            f"the new index of {alias.value} would hold {count} documents, the present one holds {old_count}; nothing "
            "was switched. Where that is right: --allow-fewer"
        )


def _count(client: Elasticsearch, index: str) -> int:
    return int(client.count(index=index)["count"])


def _discard(client: Elasticsearch, alias: Alias, new: str) -> None:
    if new in indices_behind(client, alias):
        return  # it is in use: the failure came after the switch
    try:
        client.indices.delete(index=new)
    except NotFoundError:
        logger.info("reindex index=%s was never made", new)
