"""When events become visible to a search: the distance in time between two curves, events made and events found."""

import bisect
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from elasticsearch import Elasticsearch

from include.names import Alias

_PAUSE_SECONDS: Final = 0.05
_QUERY: Final = {"term": {"dimension": "all"}}
_TOTAL: Final = {"total": {"sum": {"field": "events"}}}

# (Unix seconds, events so far), growing in both.
Curve = list[tuple[float, int]]


def events_found(client: Elasticsearch) -> int:
    """Events that a search finds behind the alias ``metrics``."""
    answer = client.search(index=Alias.METRICS.value, size=0, query=_QUERY, aggregations=_TOTAL)
    return int(answer["aggregations"]["total"]["value"])


@dataclass
class Sightings:
    """What a searching client saw over time."""

    curve: Curve = field(default_factory=list)
    search_ms: list[float] = field(default_factory=list)


@contextmanager
def searching(client: Elasticsearch, count: Callable[[Elasticsearch], int] = events_found) -> Iterator[Sightings]:
    """Search twenty times a second until the block ends."""
    seen = Sightings()
    stop = threading.Event()

    def search() -> None:
        while not stop.wait(_PAUSE_SECONDS):
            begun = time.time()
            found = count(client)
            seen.search_ms.append((time.time() - begun) * 1000)
            # An event counts as visible when the answer that holds it is here, not when it was asked for.
            seen.curve.append((time.time(), found))

    thread = threading.Thread(target=search, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def latencies_ms(due: Callable[[int], float], found: Curve, samples: Sequence[int]) -> list[float]:
    """For the n-th event of each sample: how long after it was due at least n events were found.

    Args:
        due: When the n-th event was to be made, Unix seconds.
        found: When how many events were found.
        samples: Numbers of events to look at; those never found are left out, so check the totals first.
    """
    counts = [count for _, count in found]
    places = [(number, bisect.bisect_left(counts, number)) for number in samples]
    return [(found[place][0] - due(number)) * 1000 for number, place in places if place < len(found)]
