"""Processes of this platform that nobody supervises any more: what a killed supervisor leaves behind."""

import os
from typing import Final

import psutil

from include.config import Settings

# Every supervised process carries it, and what it starts inherits it.
MARK: Final = "PLATFORM_SUPERVISED_BY"


def mark(settings: Settings) -> str:
    """The mark's value: the data folder, which no two running platforms share."""
    return str(settings.platform_data_dir)


def find(settings: Settings) -> list[psutil.Process]:
    """Processes that carry this platform's mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARK) == mark(settings):
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue  # not ours, or gone
    return found


def end(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """End these processes: ask, and kill those that are still there after this time.

    Returns:
        Those that had to be killed.
    """
    for process in processes:
        if process.is_running():
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=10)
    return alive
