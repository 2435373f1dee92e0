"""Indices that nobody reads any more, and observations that are too old: deleted after a set time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from include.config import Settings
from include.names import Alias
from include.serving.aliases import create_index, indices_behind, indices_of, next_index, switch
from include.serving.notes import RELEASED_AT, remember

# Its observations come all the time and are of use for some weeks: a new index each day, the oldest ones deleted.
ROTATED: Final = Alias.PIPELINE_HEALTH
_ROTATE_AFTER: Final = timedelta(days=1)
_SEARCHABLE: Final = [Alias.EVENTS.value, Alias.FRAUD_ALERTS.value]
_AT_ONCE: Final = 1_000


@dataclass(frozen=True)
class IndexState:
    """An index of the platform.

    Attributes:
        name: Its name.
        alias: The alias that it was made for.
        is_read: Whether it stands behind it.
        created_at: When it was made.
        released_at: Since when nobody reads it; None while somebody does, or before housekeeping saw it.
        documents: How many it holds.
        size_bytes: What it takes on disk, replicas included.
    """

    name: str
    alias: Alias
    is_read: bool
    created_at: datetime
    released_at: datetime | None
    documents: int
    size_bytes: int


def states(client: Elasticsearch) -> list[IndexState]:
    """Every index of the platform, sorted by name."""
    found: list[IndexState] = []
    for alias in Alias:
        names = indices_of(client, alias)
        if names:
            found += _states(client, alias, names)
    return sorted(found, key=lambda state: state.name)


def _states(client: Elasticsearch, alias: Alias, names: list[str]) -> list[IndexState]:
    behind = set(indices_behind(client, alias))
    about = client.indices.get(index=names, expand_wildcards="all").body
    stats = client.indices.stats(index=names, metric=["docs", "store"])["indices"]
    return [
        IndexState(
            name=name,
            alias=alias,
            is_read=name in behind,
            created_at=datetime.fromtimestamp(int(entry["settings"]["index"]["creation_date"]) / 1000, UTC),
            released_at=_released(entry["mappings"]),
            documents=int(stats[name]["primaries"]["docs"]["count"]),
            size_bytes=int(stats[name]["total"]["store"]["size_in_bytes"]),
        )
        for name, entry in about.items()
        if name in stats
    ]


def _released(mapping: Mapping[str, Any]) -> datetime | None:
    noted = mapping.get("_meta", {}).get(RELEASED_AT)
    return datetime.fromisoformat(noted) if noted else None


def clean(client: Elasticsearch, settings: Settings, now: datetime) -> list[str]:
    """Everything that housekeeping does, with the times of the settings; returns the deleted indices."""
    deleted = delete_released(client, now, timedelta(hours=settings.index_keep_hours))
    if settings.personal_keep_days:
        delete_old_events(client, now, timedelta(days=settings.personal_keep_days))
    return deleted + rotate_observations(client, now, timedelta(days=settings.health_keep_days))


def delete_old_events(client: Elasticsearch, now: datetime, keep: timedelta) -> int:
    """Delete what can be searched of events that are too old to say who it was; returns how many documents.

    Deletion by query is not in every distribution of Elasticsearch: they are found and deleted by the thousand.
    """
    old = {"range": {"event_time": {"lt": (now - keep).isoformat(timespec="milliseconds")}}}
    deleted = 0
    while True:
        hits = client.search(index=_SEARCHABLE, query=old, size=_AT_ONCE, source=False)["hits"]["hits"]
        if not hits:
            return deleted
        actions = [{"_op_type": "delete", "_index": hit["_index"], "_id": hit["_id"]} for hit in hits]
        deleted += bulk(client, actions, refresh=True)[0]


def delete_released(client: Elasticsearch, now: datetime, keep: timedelta) -> list[str]:
    """Delete indices that nobody has read for the time; an index is seen unread once before its time begins.

    A search that began before an index left its alias has long ended then, an index that is just being filled is never
    touched, and until then a rollback can use it.

    Returns:
        Names of those deleted.
    """
    deleted = []
    for state in states(client):
        if state.is_read:
            if state.released_at:
                remember(client, state.name, released_at=None)
        elif state.released_at is None:
            remember(client, state.name, released_at=now.isoformat(timespec="seconds"))
        elif now - state.released_at >= keep:
            client.indices.delete(index=state.name)
            deleted.append(state.name)
    return deleted


def rotate_observations(client: Elasticsearch, now: datetime, keep: timedelta) -> list[str]:
    """Begin a new index of observations when the newest is a day old, and delete those whose all are too old.

    Returns:
        Names of those deleted.
    """
    behind = [state for state in states(client) if state.alias is ROTATED and state.is_read]
    if not behind:
        return []
    newest = behind[-1]
    if now - newest.created_at >= _ROTATE_AFTER and newest.documents:
        following = next_index(client, ROTATED)
        create_index(client, following)
        switch(client, ROTATED, add=[following, newest.name], write_index=following)
    # The last write to an index came before the next one was made.
    ended = [(state.name, after.created_at) for state, after in pairwise(behind)]
    old = [name for name, end in ended if now - end >= keep]
    if old:
        switch(client, ROTATED, remove=old)
        client.indices.delete(index=old)
    return old
