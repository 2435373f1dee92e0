"""Where every part leaves its alerts: a durable file, so that no part ever waits for Slack or a mail server."""

import logging
import sqlite3
from typing import Final

from include.alerting.alert import Alert
from include.alerting.store import connection, store_path
from include.config import Settings

logger = logging.getLogger(__name__)

_WAIT_SECONDS: Final = 2.0


class Outbox:
    """Takes alerts; the dispatcher (``main.py alerts dispatch``) sends them."""

    def __init__(self, settings: Settings) -> None:
        self._path = store_path(settings)

    def put(self, alert: Alert) -> bool:
        """Keep an alert durably. Putting the same ``alert_id`` again changes nothing.

        An alert must never be what breaks the work that it speaks of: when the file cannot be written within two
        seconds, the whole alert goes to the log instead.

        Returns:
            Whether the alert is in the file.
        """
        body = alert.model_dump_json()
        row = (alert.alert_id, body)
        try:
            with connection(self._path, _WAIT_SECONDS) as database:
                database.execute("INSERT OR IGNORE INTO incoming (alert_id, body) VALUES (?, ?)", row)
        except (sqlite3.Error, OSError) as error:
            logger.error("alert kept only in this log: outbox=%s error=%s alert=%s", self._path, error, body)
            return False
        return True
