"""Which driver runs which stream: what must be quick does not share its processors with what may take its time.

Why two: docs/decisions/010-two-drivers.md
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from include.config import Settings
from include.names import Part, Query


class Share(StrEnum):
    """A driver's share of the streams."""

    URGENT = "urgent"
    BACKGROUND = "background"


ALL: Final = tuple(Share)
PARTS: Final = {Share.URGENT: Part.SPEED_LAYER, Share.BACKGROUND: Part.SPEED_LAYER_BACKGROUND}
# The archive costs little and everything of the batch layer waits for it: a handover, above all.
_URGENT: Final = frozenset({Query.LIVE_METRICS, Query.FRAUD_INSTANT, Query.BRONZE_ARCHIVE})


def queries_of(settings: Settings, share: Share | None = None) -> tuple[Query, ...]:
    """What runs when nothing is chosen: every query that is not switched off; of one share, or of all."""
    off = () if settings.search_user_events else (Query.LIVE_USER_EVENTS,)
    return tuple(query for query in Query if query not in off and share in (None, share_of(query)))


def share_of(query: Query) -> Share:
    """The share that a query belongs to."""
    return Share.URGENT if query in _URGENT else Share.BACKGROUND


def shares_of(queries: Sequence[Query]) -> dict[Share, tuple[Query, ...]]:
    """Split queries; a share without any is left out."""
    split = {share: tuple(query for query in queries if share_of(query) is share) for share in Share}
    return {share: part for share, part in split.items() if part}
