"""Brings the queue of one destination to it: grouped, within its rate, again when it failed, each message once."""

import logging
from collections import deque
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Final

from include.alerting import deliveries as queue
from include.alerting.deliveries import Delivery
from include.alerting.receivers import Receiver
from include.alerting.routing import Routing
from include.alerting.store import connection
from include.alerting.wording import latest_of_each
from include.errors import DeliveryError

logger = logging.getLogger(__name__)

_MOST_AT_ONCE: Final = 200
_LONGEST_WAIT_SECONDS: Final = 300.0


class Courier:
    """Delivers to one destination. It is used by one thread.

    A message counts as sent when the other side said so. When it is cut off before it says anything, the message is
    sent again: better told twice than never.

    Args:
        path: The store.
        name: Name of the destination.
        receiver: The destination.
        routing: Grouping and rate limit.
    """

    def __init__(self, path: Path, name: str, receiver: Receiver, routing: Routing) -> None:
        self._path = path
        self._name = name
        self._receiver = receiver
        self._routing = routing
        self._sent_at: deque[datetime] = deque()

    def step(self, now: datetime) -> int:
        """Deliver what is due.

        Returns:
            How many messages went out.
        """
        with connection(self._path) as database:
            due = self._without_expired(queue.waiting(database, self._name, now, _MOST_AT_ONCE), now)
            threads = {
                delivery.incident.incident: queue.thread_of(database, delivery.incident.incident, self._name)
                for delivery in due
            }
        sent = 0
        for batch, thread in self._batches(due, threads):
            if not self._may_send(now) or not self._send(batch, thread, now):
                break
            sent += 1
        return sent

    def _without_expired(self, due: list[Delivery], now: datetime) -> list[Delivery]:
        oldest = (now - timedelta(hours=self._routing.grouping.expire_hours)).timestamp()
        expired = [delivery for delivery in due if delivery.made_at < oldest]
        if expired:
            with connection(self._path) as database:
                queue.mark_failed(database, expired, "expired")
            logger.error("alert messages given up: destination=%s count=%s reason=expired", self._name, len(expired))
        return [delivery for delivery in due if delivery.made_at >= oldest]

    def _batches(self, due: list[Delivery], threads: dict[str, str | None]) -> list[tuple[list[Delivery], str | None]]:
        # What has a thread is answered there; the rest is grouped when it is much.
        fresh = [delivery for delivery in due if threads[delivery.incident.incident] is None]
        if len({delivery.incident.incident for delivery in fresh}) >= self._routing.grouping.group_from:
            batches: list[tuple[list[Delivery], str | None]] = [(fresh, None)]
            rest = [delivery for delivery in due if threads[delivery.incident.incident] is not None]
        else:
            batches, rest = [], due
        by_incident = sorted(rest, key=lambda delivery: delivery.incident.incident)
        singles = [list(group) for _, group in groupby(by_incident, key=lambda delivery: delivery.incident.incident)]
        singles.sort(key=lambda group: group[0].place)
        return batches + [(group, threads[group[0].incident.incident]) for group in singles]

    def _may_send(self, now: datetime) -> bool:
        limit = self._routing.rate_limit
        while self._sent_at and (now - self._sent_at[0]).total_seconds() >= limit.per_seconds:
            self._sent_at.popleft()
        return len(self._sent_at) < limit.messages

    def _send(self, batch: list[Delivery], thread: str | None, now: datetime) -> bool:
        self._sent_at.append(now)
        try:
            thread = self._receiver.tell(latest_of_each(batch), thread)
        except DeliveryError as error:
            self._put_off(batch, error, now)
            return error.permanent
        with connection(self._path) as database:
            queue.mark_sent(database, batch, now, thread)
        return True

    def _put_off(self, batch: list[Delivery], error: DeliveryError, now: datetime) -> None:
        wait = error.retry_after or min(2.0 ** batch[0].attempts, _LONGEST_WAIT_SECONDS)
        logger.warning(
            "alert message not delivered: destination=%s incidents=%s permanent=%s again_in_seconds=%s reason=%s",
            self._name,
            len(batch),
            error.permanent,
            wait,
            error,
        )
        with connection(self._path) as database:
            if error.permanent:
                queue.mark_failed(database, batch, str(error))
            else:
                queue.mark_delayed(database, batch, now + timedelta(seconds=wait), str(error))
