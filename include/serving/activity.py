"""Active users and what became of sessions, from the minute documents with distinct-count sketches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from include.serving import sketches
from include.serving.freshness import iso

# Active users are given for these many minutes back.
USER_SPANS: Final = (1, 5, 15)
_KINDS: Final = ("users", "active_sessions", "cart_sessions", "buying_sessions")
# A document holds four sketches of up to 5.5 kB each: a longer range is asked for in parts.
MAX_MINUTES: Final = 1440


@dataclass(frozen=True)
class Activity:
    """Distinct counts of a span; estimates with a standard error of 1.6 %.

    Attributes:
        users: Different users by span: the last 1, 5, 15 whole minutes and the current one.
        active_sessions: Different sessions in the whole range.
        cart_sessions: Those of them that put something into a cart.
        buying_sessions: Those of them that placed an order.
        abandoned_sessions: Those that put something into a cart and placed no order in the range.
        newest_minute: The newest minute that is known.
    """

    users: Mapping[int, int]
    active_sessions: int
    cart_sessions: int
    buying_sessions: int
    abandoned_sessions: int
    newest_minute: datetime | None

    @property
    def conversion_rate(self) -> float | None:
        """Share of sessions that placed an order; None without sessions."""
        return _share(self.buying_sessions, self.active_sessions)

    @property
    def cart_abandonment_rate(self) -> float | None:
        """Share of sessions with a cart that placed no order; None without carts."""
        return _share(self.abandoned_sessions, self.cart_sessions)


def _share(part: int, whole: int) -> float | None:
    # Estimates may cross where the truth does not.
    return min(1.0, part / whole) if whole else None


def activity_search(since: datetime, until: datetime) -> dict[str, Any]:
    """The search for the minutes of a range."""
    return {
        "size": MAX_MINUTES,
        "track_total_hits": False,
        "query": {
            "bool": {
                "filter": [
                    {"term": {"dimension": "activity"}},
                    {"range": {"window_start": {"gte": iso(since), "lt": iso(until)}}},
                ]
            }
        },
        "sort": [{"window_start": "asc"}],
        "_source": [f"{kind}_sketch" for kind in _KINDS],
        "fields": [{"field": "window_start", "format": "strict_date_time"}],
    }


def activity_from(answer: Mapping[str, Any], until: datetime) -> Activity:
    """The answer of ``activity_search``, merged."""
    hits = answer["hits"]["hits"]
    minutes = [datetime.fromisoformat(hit["fields"]["window_start"][0]) for hit in hits]
    this_minute = until.replace(second=0, microsecond=0)
    users = {}
    for span in USER_SPANS:
        earliest = this_minute - timedelta(minutes=span)
        recent = [hit for hit, minute in zip(hits, minutes, strict=True) if minute >= earliest]
        users[span] = sketches.distinct(_merged(recent, "users"))
    active, carts, buying = (_merged(hits, kind) for kind in _KINDS[1:])
    return Activity(
        users=users,
        active_sessions=sketches.distinct(active),
        cart_sessions=sketches.distinct(carts),
        buying_sessions=sketches.distinct(buying),
        abandoned_sessions=sketches.distinct(carts) - sketches.distinct_in_both(carts, buying),
        newest_minute=minutes[-1] if minutes else None,
    )


def _merged(hits: Sequence[Mapping[str, Any]], kind: str) -> Any:
    texts = (hit["_source"].get(f"{kind}_sketch") for hit in hits)
    return sketches.merged(text for text in texts if text)
