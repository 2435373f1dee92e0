"""One at a time, over all processes of a machine."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from include.config import Settings
from include.names import Table


@contextmanager
def alone(settings: Settings, what: str | Table) -> Iterator[None]:
    """Keep others waiting who do the same, or write the same table.

    Two runs of a job that look at the same rows at once would both write them; a rewrite of rows that a stream appends
    beside would be refused by Delta again and again.

    Args:
        settings: Say where the platform's data is.
        what: A job's name, or a table.
    """
    path = settings.platform_data_dir / "batch" / f"{what}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        # Held by the open file, so it ends with the process, however that ends.
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
