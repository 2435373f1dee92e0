"""Whether the streams have done all that Kafka held at a moment."""

import time
from collections.abc import Sequence
from typing import Final

from include.config import Settings
from include.errors import PartUnavailableError
from include.handover.checkpoint import Offsets
from include.names import Part, Query
from include.supervision.heartbeat import read_heartbeat

# Where an event is before it is counted, refused or kept.
STREAMS: Final = (Query.BRONZE_ARCHIVE, Query.DEAD_LETTERS, Query.LIVE_METRICS)
_POLL_SECONDS: Final = 1.0


def behind(settings: Settings, ends: Offsets, streams: Sequence[Query] = STREAMS) -> list[str]:
    """The streams that have not read up to these offsets yet, each with how far it is."""
    found = []
    for query in streams:
        beat = read_heartbeat(settings, query)
        reached = beat.end_offsets if beat else {}
        missing = sum(
            max(0, end - reached.get(topic, {}).get(partition, 0))
            for topic, partitions in ends.items()
            for partition, end in partitions.items()
        )
        if missing:
            found.append(f"{query} lacks {missing} records")
    return found


def wait_settled(settings: Settings, ends: Offsets) -> None:
    """Wait until archive, dead letters and live totals have all that lies before the offsets.

    Raises:
        PartUnavailableError: If they do not within ``HANDOVER_ARCHIVE_SECONDS``; says which stream lacks how much.
    """
    deadline = time.monotonic() + settings.handover_archive_seconds
    while missing := behind(settings, ends):
        if time.monotonic() > deadline:
            raise PartUnavailableError(
                Part.SPEED_LAYER,
                f"{'; '.join(missing)} after waiting {settings.handover_archive_seconds} s; "
                "start the speed layer, then audit again",
            )
        time.sleep(_POLL_SECONDS)
