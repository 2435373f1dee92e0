"""An Airflow of the tests' own: its database, its settings file loaded, one DagBag for all tests."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.config import PROJECT_ROOT

# Airflow reads its configuration when it is imported, so this must be set before the first test module is.
_HOME = tempfile.TemporaryDirectory(prefix="rdp-airflow-", ignore_cleanup_errors=True)
os.environ.update(
    {
        "AIRFLOW_HOME": _HOME.name,
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT_ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT_ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
    }
)


@pytest.fixture(scope="session")
def airflow_home() -> Iterator[Path]:
    """Where this Airflow keeps its database and logs."""
    yield Path(_HOME.name)
    _HOME.cleanup()


@pytest.fixture(scope="session")
def airflow_database(airflow_home: Path) -> Path:
    """A new database with what ``airflow_settings.yaml`` declares."""
    from airflow.utils.db import initdb
    from airflow.utils.session import create_session

    from include.config import get_settings
    from include.local.airflow_settings import apply, read

    initdb()
    with create_session() as session:
        apply(read(), get_settings(), session)
    return airflow_home / "airflow.db"


@pytest.fixture(scope="session")
def dag_bag(airflow_database: Path) -> "object":
    """Every file of ``dags/``, parsed once."""
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=str(PROJECT_ROOT / "dags"))
