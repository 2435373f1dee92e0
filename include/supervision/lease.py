"""The lease of a streaming query: one driver at a time runs it, and one that lost it notices before it writes."""

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

import psutil

from include.config import Settings
from include.errors import PlatformError
from include.handover.segments import write_atomically
from include.names import Query

_CLOCK_TOLERANCE_SECONDS: Final = 1.0
_SILENCE_SECONDS: Final = 60.0


class LeaseError(PlatformError):
    """Raised when another driver holds the lease, or this one lost it."""


@dataclass(frozen=True)
class Holder:
    """Who holds the lease.

    Attributes:
        epoch: Grows with every driver; a lower one may not write any more.
        pid: Process id of the driver.
        started_at: When that process started, so that a reused process id is not taken for it (Unix seconds).
        host: Machine (or container) it runs on.
        renewed_at: When it last said that it lives (Unix seconds).
    """

    epoch: int
    pid: int
    started_at: float
    host: str
    renewed_at: float = field(default=0.0, compare=False)

    def is_alive(self) -> bool:
        """Whether the process still runs; on another machine, whether it said so lately."""
        if self.host != socket.gethostname():
            return time.time() - self.renewed_at < _SILENCE_SECONDS
        try:
            started = float(psutil.Process(self.pid).create_time())
        except psutil.NoSuchProcess:
            return False
        return abs(started - self.started_at) < _CLOCK_TOLERANCE_SECONDS


def lease_path(settings: Settings, query: Query) -> Path:
    """Where a query's lease is."""
    return settings.platform_data_dir / "leases" / f"{query.value}.lease"


class Lease:
    """This process's claim to be a query's only driver."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mine: Holder | None = None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lease-lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def holder(self) -> Holder | None:
        """Who holds it, alive or not; None when nobody does."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return Holder(**found) if found["pid"] else None

    def acquire(self) -> Holder:
        """Take the lease with a new epoch.

        Raises:
            LeaseError: If a driver that lives holds it.
        """
        with self._locked():
            current = self.holder()
            if current is not None and current.is_alive():
                raise LeaseError(
                    f"{self._path.stem} already runs: process {current.pid} on {current.host} (epoch {current.epoch}) "
                    f"holds {self._path}. Stop it first: the DAG speed_layer with action stop, or ./run.sh stop"
                )
            process = psutil.Process()
            started, host = float(process.create_time()), socket.gethostname()
            self._mine = Holder(self._epoch() + 1, process.pid, started, host, time.time())
            write_atomically(self._path, json.dumps(asdict(self._mine)))
            return self._mine

    def _epoch(self) -> int:
        try:
            return int(json.loads(self._path.read_text(encoding="utf-8"))["epoch"])
        except FileNotFoundError:
            return 0

    def require(self) -> None:
        """Check that this process still holds it; call it before each write.

        Raises:
            LeaseError: If another driver took over.
        """
        found = self.holder()
        if self._mine is None or found != self._mine:
            raise LeaseError(
                f"process {os.getpid()} lost the lease {self._path} to {found}: it writes nothing more and ends"
            )

    def renew(self) -> None:
        """Say that this process lives; about once a second.

        Raises:
            LeaseError: If another driver took over.
        """
        with self._locked():
            self.require()
            if self._mine is not None:
                self._mine = replace(self._mine, renewed_at=time.time())
                write_atomically(self._path, json.dumps(asdict(self._mine)), durable=False)

    def release(self) -> None:
        """Give it back; the epoch stays, so that the next one is higher."""
        with self._locked():
            if self._mine is not None and self.holder() == self._mine:
                write_atomically(self._path, json.dumps({**asdict(self._mine), "pid": 0}))
            self._mine = None
