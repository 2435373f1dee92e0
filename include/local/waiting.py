"""Waiting for a part to become healthy, with its own words when it does not."""

import time
from collections.abc import Callable
from typing import Final

from include.errors import PartUnavailableError

_PAUSE_SECONDS: Final = 0.3


def wait_healthy(
    part: str,
    problem: Callable[[], str | None],
    *,
    seconds: float,
    ended: Callable[[], str | None],
    reports: Callable[[str], None] | None = None,
) -> None:
    """Ask until the part has no problem.

    Args:
        part: Name for messages.
        problem: Says why the part is not healthy, None when it is.
        seconds: How long to ask.
        ended: Says why asking on is pointless (its process is gone for good), None while it makes sense.
        reports: Called with each new reason, for whoever watches.

    Raises:
        PartUnavailableError: If the process ended or the time is over; carries the last reason.
    """
    deadline = time.monotonic() + seconds
    last = None
    while (reason := problem()) is not None:
        if reason != last and reports:
            reports(reason)
        last = reason
        if (end := ended()) is not None:
            raise PartUnavailableError(part, end)
        if time.monotonic() > deadline:
            raise PartUnavailableError(part, f"not healthy after {seconds:g} s: {reason}")
        time.sleep(_PAUSE_SECONDS)
