"""The one atomic action of a handover: batch indices in, the segments and days that they replace out."""

from collections.abc import Collection, Sequence

from elasticsearch import Elasticsearch

from include.handover.batch_indices import batch_index, day_of
from include.handover.segments import segment_index
from include.names import Alias
from include.serving.aliases import indices_behind, indices_of, switch


def switch_over(client: Elasticsearch, run_id: str, days: Sequence[str], segments: Sequence[int]) -> None:
    """Change what stands behind the alias ``metrics``; doing it again changes nothing.

    Args:
        client: Connection to Elasticsearch.
        run_id: The run whose indices go in.
        days: Days that it replaces.
        segments: Segments that it replaces, with every older one.
    """
    behind = set(indices_behind(client, Alias.METRICS))
    add = {batch_index(day, run_id) for day in days}
    replaced = {segment_index(number) for number in range(1, max(segments) + 1)}
    replaced |= {index for index in behind if day_of(index) in days and index not in add}
    leaving, joining = sorted(behind & replaced), sorted(add - behind)
    if leaving or joining:
        switch(client, Alias.METRICS, add=joining, remove=leaving)


def delete_replaced(client: Elasticsearch, segments: Collection[int]) -> list[str]:
    """Delete the indices that handovers took out of the alias; call it when no search can be in flight on them.

    Args:
        client: Connection to Elasticsearch.
        segments: Numbers of the segments that were handed over.
    """
    handed_over = {segment_index(number) for number in segments}
    behind = set(indices_behind(client, Alias.METRICS))
    replaced = [
        index
        for index in indices_of(client, Alias.METRICS)
        if index not in behind and (index in handed_over or day_of(index) is not None)
    ]
    if replaced:
        client.indices.delete(index=replaced, ignore_unavailable=True)
    return replaced
