"""The speed layer, started and stopped with what Airflow's Spark connection says."""

from collections.abc import Collection
from typing import Any

from include.config import Settings
from include.errors import ConfigurationError
from include.names import Connection
from include.orchestration.spark_connection import spark_target
from include.supervision import speed_layer
from include.supervision.shares import ALL, Share


def control(settings: Settings, action: str, shares: Collection[Share] = ALL) -> dict[str, Any]:
    """Start, stop or restart; a restart may be of one driver alone.

    Returns:
        What was done and what runs now.

    Raises:
        ConfigurationError: If the Spark connection is missing, or the action is none.
        PartUnavailableError: If the driver does not end or does not start.
    """
    # Also before a stop: a restart that could not start again would leave nothing running.
    target = spark_target(Connection.SPARK)
    if action == "start":
        changed = speed_layer.start(settings, master=target.master, conf=target.conf)
    elif action == "stop":
        changed = speed_layer.stop(settings)
    elif action == "restart":
        speed_layer.restart(settings, shares, master=target.master, conf=target.conf)
        changed = True
    else:
        raise ConfigurationError(f"action is {action!r}: choose start, stop or restart")
    now = speed_layer.state(settings)
    return {
        "action": action,
        "changed": changed,
        "master": target.master,
        "supervised": sorted(now.supervised),
        "wanted": now.is_wanted,
    }
