"""A server of the platform in a process of its own, for a bench."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from include.config import PROJECT_ROOT, Settings
from include.local.ports import find_free
from include.supervision.spark_submit import settings_environment


@contextmanager
def serving(settings: Settings, command: str, ready: str, **variables: str) -> Iterator[tuple[str, int]]:
    """Run ``main.py serve`` or ``collect``; gives its address and process id.

    Args:
        settings: What it serves from.
        command: Which server.
        ready: The path that answers when it is ready.
        **variables: Secrets, which settings do not pass on.
    """
    (port,) = find_free(1)
    environment = {**os.environ, **settings_environment(settings), **variables}
    arguments = [sys.executable, "main.py", command, "--port", str(port)]
    with subprocess.Popen(arguments, cwd=PROJECT_ROOT, env=environment) as server:
        try:
            url = f"http://{settings.platform_bind_host}:{port}"
            _wait(f"{url}{ready}")
            yield url, server.pid
        finally:
            server.terminate()


def _wait(address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(address, timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise RuntimeError(f"{address} did not answer within a minute")


def open_many_files() -> None:
    """Each connection is a file."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
