"""How a process is started that may wait for the processors: what is live goes first."""

import shutil
from typing import Final

from include.config import Settings

_NONE: Final[tuple[str, ...]] = ()


def modest(settings: Settings) -> tuple[str, ...]:
    """What to put before a command of a batch job or of the background streams."""
    match settings.background_priority:
        case "normal":
            return _NONE
        case "low":
            return ("nice", "-n", "10")
        case "idle":
            # Only the first gives way at once; the other finishes its turn of some milliseconds, each time.
            return ("chrt", "--idle", "0") if shutil.which("chrt") else ("nice", "-n", "19")
