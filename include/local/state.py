"""What the local platform is doing: each part with its health, process, port, memory and age."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psutil

from include.config import Settings
from include.local.services import Service, services
from include.local.supervisor import PartState, Supervisor
from include.names import Part


@dataclass(frozen=True)
class PartStatus:
    """One part.

    Attributes:
        part: Its name.
        healthy: Whether it runs and says so.
        reason: Why it is not healthy; None when it is.
        pid: Process id, None when it does not run.
        address: Where it is found, empty when it serves nothing.
        port: Its first port, None when it listens on none.
        memory_mb: Memory of the process and its children; shared pages are counted in parts where the system tells.
        cpu_seconds: Processor time that they have used.
        uptime_seconds: Since when it runs.
        lag: Records that the slowest stream has not read yet; None for parts without streams.
    """

    part: Part
    healthy: bool
    reason: str | None
    pid: int | None
    address: str
    port: int | None
    memory_mb: float
    cpu_seconds: float
    uptime_seconds: float
    lag: int | None = None


def part_states(settings: Settings) -> list[PartStatus]:
    """State of every part, asked at the same time; of a supervisor elsewhere, of the parts that it has."""
    states = Supervisor(settings).states()
    known = list(services(settings).values())
    if settings.supervisor_url:
        known = [service for service in known if service.part in states]
    with ThreadPoolExecutor(max(1, len(known))) as pool:
        return list(pool.map(lambda service: _state_of(settings, service, states.get(service.part)), known))


def _state_of(settings: Settings, service: Service, state: PartState | None) -> PartStatus:
    alive = state is not None and state.is_running
    if state is None:
        reason: str | None = "not started"
    elif alive:
        reason = service.problem()
    else:
        reason = f"{state.state.lower()}: {state.description}"
    # A process elsewhere has a number that means another one here, or none.
    pid = state.pid if state is not None and alive and not settings.supervisor_url else None
    memory, processor = usage(pid) if pid else (0.0, 0.0)
    return PartStatus(
        part=service.part,
        healthy=reason is None,
        reason=reason,
        pid=pid,
        address=service.address,
        port=next(iter(service.ports.values()), None),
        memory_mb=round(memory / 1e6, 1),
        cpu_seconds=round(processor, 1),
        uptime_seconds=round(time.time() - state.started_at, 1) if state is not None and alive else 0.0,
        lag=service.lag() if alive else None,
    )


def usage(pid: int) -> tuple[float, float]:
    """Memory in bytes and processor seconds of a process and everything it has started."""
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0, 0.0
    memory = processor = 0.0
    for process in family:
        try:
            with process.oneshot():
                processor += sum(process.cpu_times()[:2])
                memory += _memory(process)
        except psutil.NoSuchProcess:
            continue  # it ended while we looked
    return memory, processor


def _memory(process: psutil.Process) -> float:
    try:
        full = process.memory_full_info()
    except psutil.AccessDenied:
        return float(process.memory_info().rss)
    return float(getattr(full, "pss", full.rss))
