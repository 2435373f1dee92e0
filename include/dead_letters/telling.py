"""A replay told to everyone who asks: stored, in ``pipeline-health``, and to Slack through the outbox."""

import logging
from pathlib import Path

from include.alerting.outbox import Outbox
from include.config import Settings
from include.dead_letters.receipt import Receipt
from include.errors import PartUnavailableError

logger = logging.getLogger(__name__)


def tell(settings: Settings, receipt: Receipt) -> Path:
    """Store a receipt and tell of it; a rehearsal is only stored. Returns where the receipt is."""
    from include.serving.client import connect, reachable
    from include.serving.pipeline_health import publish

    path = receipt.keep(settings)
    if receipt.is_rehearsal:
        return path
    Outbox(settings).put(receipt.alert(settings, path))
    try:
        with reachable(settings), connect(settings) as client:
            publish(client, [receipt.health_record()])
    except PartUnavailableError as error:
        # What was replayed is replayed, and the receipt is stored: the replay has not failed.
        logger.warning("receipt=%s is not in pipeline-health: %s", path, error)
    return path
