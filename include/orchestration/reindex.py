"""Rebuilding the index behind an alias, and deleting those that are over, run from Airflow."""

import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from include.config import Settings
from include.errors import ConfigurationError
from include.names import Alias
from include.serving import housekeeping
from include.serving.client import connect, reachable
from include.serving.rebuild import put_back
from include.serving.rebuild import rebuild as rebuild_index

_TIMEOUT_SECONDS = 120.0


def rebuild(settings: Settings, alias: Alias, *, from_lake: bool, back: bool) -> dict[str, Any]:
    """Rebuild the index of an alias, from itself or from the lake, or go back to the one before.

    Returns:
        Counts and names, for the asset event.

    Raises:
        AirflowFailException: If the documents do not fit or there is nothing to go back to; a retry would not help.
    """
    started = time.monotonic()
    try:
        if back:
            done: dict[str, Any] = {"index": put_back(settings, alias)}
        else:
            done = asdict(rebuild_index(settings, alias, from_lake=from_lake))
    except ConfigurationError as error:
        raise AirflowFailException(str(error)) from error
    return {**done, "alias": alias.value, "seconds": round(time.monotonic() - started, 1)}


def clean(settings: Settings) -> list[str]:
    """Delete indices that nobody has read for a while, and old observations; names of what was deleted."""
    with reachable(settings), connect(settings, timeout_seconds=_TIMEOUT_SECONDS) as client:
        return housekeeping.clean(client, settings, datetime.now(UTC))
