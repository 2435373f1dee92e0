"""Ports: which are free, and who holds the others."""

import random
import socket
from itertools import islice
from typing import Final

import psutil

from include.errors import PrerequisiteError

_UNUSED_RANGE: Final = range(20_000, 32_000)


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def holder(port: int) -> str:
    """The process that listens on a port, for people: ``java (process 4711)``."""
    for connection in psutil.net_connections(kind="tcp"):
        if connection.status != psutil.CONN_LISTEN or not connection.laddr or connection.laddr.port != port:
            continue
        if connection.pid is not None:
            return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    return "a process of another user"


def require_free(host: str, ports: dict[str, int]) -> None:
    """Check that the ports of all parts can be used.

    Args:
        host: Address the parts will listen on.
        ports: Port by the name of its setting, for example ``{"KAFKA_PORT": 9092}``.

    Raises:
        PrerequisiteError: Naming each taken port, who holds it, and the setting to change.
    """
    taken = [
        f"port {port} is taken by {holder(port)}: stop it, or set {setting} in .env to a free port"
        for setting, port in ports.items()
        if not is_free(host, port)
    ]
    if taken:
        raise PrerequisiteError("; ".join(taken))


def find_free(count: int, host: str = "127.0.0.1") -> list[int]:
    """Ports that are free now, all different; below those that the system gives to outgoing connections."""
    candidates = random.SystemRandom().sample(_UNUSED_RANGE, len(_UNUSED_RANGE))
    return list(islice((port for port in candidates if is_free(host, port)), count))
