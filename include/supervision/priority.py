"""How a process is started that may wait for the processors: what is live goes first."""

import shutil


def modest() -> tuple[str, ...]:
    """What to put before a command, so that it runs on what others leave of the processors."""
    # Only the first gives way at once; the other finishes its turn of some milliseconds, each time.
    return ("chrt", "--idle", "0") if shutil.which("chrt") else ("nice", "-n", "19")
