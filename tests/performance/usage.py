"""CPU and memory of every process of a run, the load generator included."""

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import psutil

_PAUSE_SECONDS: Final = 1.0


@dataclass
class Usage:
    """What was seen of each part: processor seconds and largest resident memory, children included."""

    seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    memory: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def as_json(self) -> dict[str, Any]:
        """Cores used on average and peak memory in MiB, by part."""
        return {
            part: {
                "cores": round(self.cpu[part] / self.seconds, 2) if self.seconds else None,
                "peak_mib": round(self.memory[part] / 2**20),
            }
            for part in sorted(self.memory)
        }


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _sample(pids: Mapping[str, int]) -> tuple[dict[str, float], dict[str, int]]:
    cpu: dict[str, float] = defaultdict(float)
    memory: dict[str, int] = defaultdict(int)
    for part, pid in pids.items():
        # A process that ends between two looks is not there to be measured.
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in _family(pid):
                with contextlib.suppress(psutil.NoSuchProcess):
                    times = process.cpu_times()
                    cpu[part] += times.user + times.system
                    memory[part] += process.memory_info().rss
    return cpu, memory


@contextlib.contextmanager
def measured(pids: Mapping[str, int]) -> Iterator[Usage]:
    """Measure these processes until the block ends.

    Args:
        pids: Process id by the part's name.
    """
    usage = Usage()
    stop = threading.Event()
    begun = time.monotonic()
    first, _ = _sample(pids)

    def watch() -> None:
        while not stop.wait(_PAUSE_SECONDS):
            cpu, memory = _sample(pids)
            for part, value in memory.items():
                usage.memory[part] = max(usage.memory[part], value)
            for part, seconds in cpu.items():
                usage.cpu[part] = max(usage.cpu[part], seconds - first.get(part, 0.0))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield usage
    finally:
        stop.set()
        thread.join()
        usage.seconds = psutil.time.monotonic() - begun  # type: ignore[attr-defined]
