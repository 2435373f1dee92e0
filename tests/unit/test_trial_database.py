import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from include.errors import PrerequisiteError
from include.local.trial_database import trial_database

_NO_PROCESS = 2**22 + 1


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "airflow.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE connection (conn_id TEXT)")
        connection.execute("INSERT INTO connection VALUES ('spark_live')")
        connection.commit()
    return path


def test_the_copy_has_what_airflow_knows_and_changes_of_it_stay_there(database: Path) -> None:
    with closing(sqlite3.connect(trial_database(database, os.getpid()))) as copy:
        assert copy.execute("SELECT conn_id FROM connection").fetchall() == [("spark_live",)]
        copy.execute("DELETE FROM connection")
        copy.commit()

    with closing(sqlite3.connect(database)) as ours:
        assert ours.execute("SELECT count(*) FROM connection").fetchone() == (1,)


def test_copies_of_processes_that_have_ended_are_deleted(database: Path) -> None:
    ended = trial_database(database, _NO_PROCESS)
    running = trial_database(database, os.getpid())
    trial_database(database, os.getppid())

    assert (ended.exists(), running.exists()) == (False, True)


def test_a_platform_that_was_never_started_says_so(tmp_path: Path) -> None:
    with pytest.raises(PrerequisiteError, match=r"never started; run \./run\.sh start"):
        trial_database(tmp_path / "airflow.db", os.getpid())
