"""What every DAG has in common: tags, owner, start, retries, time-outs, the alert."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from include.orchestration.notifier import PlatformAlert

OWNER: Final = "platform"
# A schedule with a start in the past runs as soon as the platform starts for the first time. Other work has none, and
# waits for its time: all of it at once takes a small machine's processors from the streams that are starting.
AT_FIRST_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


class Tag(StrEnum):
    """Tags of DAGs; the UI filters by them."""

    SPEED = "speed layer"
    BATCH = "batch layer"
    SERVING = "serving"
    QUALITY = "quality"
    MAINTENANCE = "maintenance"


def task_defaults(
    *, retries: int = 2, retry_delay: timedelta = timedelta(seconds=30), timeout: timedelta = timedelta(minutes=5)
) -> dict[str, Any]:
    """``default_args`` of a DAG.

    Args:
        retries: Further tries; each waits twice as long as the one before, at most ten minutes.
        retry_delay: Wait before the first of them.
        timeout: How long one try of a task may take.
    """
    return {
        "owner": OWNER,
        "retries": retries,
        "retry_delay": retry_delay,
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=10),
        "execution_timeout": timeout,
        "on_failure_callback": PlatformAlert(),
        "on_retry_callback": PlatformAlert(),
        # Ends the incident of an earlier failure; where there is none, it says nothing.
        "on_success_callback": PlatformAlert(resolved=True),
    }
