"""Numbered indices and the aliases in front of them. Whoever reads uses the alias, so a switch is never seen half."""

from collections.abc import Iterable
from typing import Any, Final

from elasticsearch import BadRequestError, Elasticsearch, NotFoundError

from include.names import Alias

_DIGITS: Final = 6


def numbered(prefix: str, number: int) -> str:
    """Name of an index, for example ``metrics-speed-000001``; names sort as their numbers do."""
    return f"{prefix}-{number:0{_DIGITS}d}"


def number_of(index: str) -> int | None:
    """The number at the end of an index's name; None where there is none."""
    tail = index.rpartition("-")[2]
    return int(tail) if tail.isdecimal() else None


def indices_behind(client: Elasticsearch, alias: Alias) -> list[str]:
    """Names of the indices behind the alias, sorted; empty before the first is made."""
    try:
        return sorted(client.indices.get_alias(name=alias.value))
    except NotFoundError:
        return []


def indices_of(client: Elasticsearch, alias: Alias) -> list[str]:
    """Names of all numbered indices of the alias, those no longer behind it included, sorted."""
    found = client.indices.get(index=f"{alias.value}-*", expand_wildcards="all", filter_path="*.settings.index.uuid")
    return sorted(found.body)


def next_index(client: Elasticsearch, alias: Alias, prefix: str | None = None) -> str:
    """Name of the index that follows the highest number in use under the prefix (the alias itself by default)."""
    stem = prefix or alias.value
    taken = [number_of(name) or 0 for name in indices_of(client, alias) if name.rpartition("-")[0] == stem]
    return numbered(stem, max(taken, default=0) + 1)


def create_index(client: Elasticsearch, index: str, *, behind: Alias | None = None, writes: bool = False) -> bool:
    """Make an index from its template, at once behind an alias where one is given.

    Args:
        client: Connection to Elasticsearch.
        index: Name of the index.
        behind: The alias that shows it as soon as it can be searched: a search that meets a shard still in the
            making would be told that a part of its answer failed.
        writes: Whether writes to the alias go into it.

    Returns:
        False when it was there already; it is left as it is then.
    """
    try:
        client.indices.create(index=index, wait_for_active_shards=1, timeout="60s")
        made = True
    except BadRequestError as error:
        if error.error != "resource_already_exists_exception":
            raise
        made = False
    # Whoever made it before may have died here; one that holds documents was taken from the alias on purpose.
    if behind and (made or _is_unseen_and_empty(client, index, behind)):
        switch(client, behind, add=[index], write_index=index if writes else None)
    return made


def _is_unseen_and_empty(client: Elasticsearch, index: str, alias: Alias) -> bool:
    return index not in indices_behind(client, alias) and client.count(index=index)["count"] == 0


def switch(
    client: Elasticsearch,
    alias: Alias,
    *,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    write_index: str | None = None,
) -> None:
    """Change what stands behind an alias in one atomic action: no search sees both, or neither.

    Args:
        client: Connection to Elasticsearch.
        alias: The alias.
        add: Indices to put behind it.
        remove: Indices to take away; each must be behind it, otherwise nothing changes.
        write_index: The added index that takes the writes to the alias.
    """
    actions: list[dict[str, Any]] = [
        {"remove": {"index": index, "alias": alias.value, "must_exist": True}} for index in remove
    ]
    for index in add:
        action = {"index": index, "alias": alias.value}
        actions.append({"add": action | ({"is_write_index": True} if index == write_index else {})})
    client.indices.update_aliases(actions=actions)
