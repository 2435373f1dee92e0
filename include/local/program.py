"""What the supervisor needs to know of a process."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from include.names import Part


@dataclass(frozen=True)
class Program:
    """One supervised process.

    Attributes:
        part: Its name.
        command: Program and arguments.
        environment: Variables beside the supervisor's own.
        user: Run as this user; None is the supervisor's.
        stop_seconds: How long it may take to end after SIGTERM before it is killed.
        keep_running: Whether the supervisor starts it again when it ends by itself.
        start_seconds: How long it must live to count as started.
    """

    part: Part
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    stop_seconds: int = 30
    keep_running: bool = True
    start_seconds: int = 2


def digest_of(*files: Path) -> str:
    """A short digest of files' contents."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
