"""Shops' SDKs, for Locust: each sends a batch of events every second, as Segment's SDKs do."""

import itertools
import os
import random
import uuid
from datetime import UTC, datetime
from typing import Any, Final

import gevent
from locust import FastHttpUser, constant_pacing, task

BATCH: Final = int(os.environ.get("SHOP_BATCH", "10"))
_KEY: Final = os.environ.get("SHOP_WRITE_KEY", "")
_numbers = itertools.count()


class Shop(FastHttpUser):
    """One visitor's browser."""

    wait_time = constant_pacing(1)
    network_timeout = 30.0
    connection_timeout = 30.0

    def on_start(self) -> None:
        """Visitors do not come in step; Locust starts them so, and each would keep its moment of the second."""
        gevent.sleep(random.random())

    @task
    def send(self) -> None:
        """A batch of product views."""
        now = datetime.now(UTC).isoformat()
        batch = [_viewed(now) for _ in range(BATCH)]
        self.client.post("/v1/batch", json={"batch": batch, "sentAt": now, "writeKey": _KEY}, name="batch")


def _viewed(now: str) -> dict[str, Any]:
    product = f"p-{random.randrange(500):05d}"
    return {
        "type": "track",
        "event": "Product Viewed",
        "messageId": f"{uuid.uuid4()}-{next(_numbers)}",
        "userId": f"u-{random.randrange(10_000):07d}",
        "timestamp": now,
        "properties": {"product_id": product, "category": "toys", "price": 9.9, "currency": "EUR"},
        "context": {"sessionId": f"visit-{random.randrange(1000)}"},
    }
