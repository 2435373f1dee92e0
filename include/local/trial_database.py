"""A database of its own for ``airflow dags test``.

The command makes a run that is *running* in Airflow's database. A scheduler that is up sees it there, takes its tasks,
and the command fails on a task that somebody else has done. In a copy nobody but the command sees it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil

from include.errors import PrerequisiteError

_PREFIX = "dags-test-"


def trial_database(database: Path, pid: int) -> Path:
    """Copy Airflow's SQLite database, its connections, pools and variables with it; deletes those of ended processes.

    Args:
        database: Airflow's.
        pid: The process that will use the copy.

    Raises:
        PrerequisiteError: If the platform was never started.
    """
    if not database.exists():
        raise PrerequisiteError(f"{database} is missing: the platform was never started; run ./run.sh start")
    for left in _left_behind(database.parent):
        left.unlink(missing_ok=True)
    copy = database.with_name(f"{_PREFIX}{pid}.db")
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as source, closing(sqlite3.connect(copy)) as to:
        source.backup(to)
    return copy


def _left_behind(folder: Path) -> Iterator[Path]:
    for path in folder.glob(f"{_PREFIX}*"):
        pid = path.name.removeprefix(_PREFIX).partition(".")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            yield path
