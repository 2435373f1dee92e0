"""How every Spark job is submitted: one command line and one environment, for supervisor, DAGs and tests."""

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from pydantic import SecretStr

from include.config import PROJECT_ROOT, Settings
from include.errors import PrerequisiteError
from include.local.java import java_home

Profile = Literal["live", "batch"]

CONF_DIR: Final = PROJECT_ROOT / "spark_jobs" / "conf"


def spark_home() -> Path:
    """Folder of the pyspark package, which is a whole Spark.

    Raises:
        PrerequisiteError: If pyspark is not installed.
    """
    found = find_spec("pyspark")
    if found is None or found.origin is None:
        raise PrerequisiteError("pyspark is not installed in this environment: ./run.sh start installs it")
    return Path(found.origin).parent


def settings_environment(settings: Settings) -> dict[str, str]:
    """Variables that give another process the same settings; secrets it reads from ``.env`` itself."""
    values = {
        name: getattr(settings, name) for name in settings.model_fields_set if name in type(settings).model_fields
    }
    return {
        name.upper(): str(value)
        for name, value in sorted(values.items())
        if value is not None and not isinstance(value, SecretStr)
    }


def spark_environment(settings: Settings) -> dict[str, str]:
    """Variables that a ``spark-submit`` of this platform needs beside the caller's own."""
    return {
        **settings_environment(settings),
        "JAVA_HOME": str(java_home(settings)),
        "SPARK_HOME": str(spark_home()),
        "SPARK_LOCAL_IP": settings.platform_bind_host,
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "PYTHONPATH": str(PROJECT_ROOT),
        "PYTHONUNBUFFERED": "1",
        "TZ": "UTC",
    }


def spark_submit_command(
    settings: Settings,
    job: Path,
    *arguments: str,
    profile: Profile = "batch",
    master: str | None = None,
    conf: Mapping[str, str] | None = None,
) -> list[str]:
    """Command line that submits a job.

    Args:
        settings: Give the driver's memory and the folder for what spills.
        job: The job's Python file.
        *arguments: The job's own arguments.
        profile: Which properties file holds its Spark settings.
        master: Spark master; None leaves it to the properties file.
        conf: Spark properties that win over the properties file.
    """
    memory = settings.spark_driver_memory if profile == "live" else settings.spark_batch_memory
    properties = {"spark.local.dir": str(settings.platform_data_dir / "spark-tmp"), **(conf or {})}
    if profile == "live":
        properties = {"spark.scheduler.allocation.file": (CONF_DIR / "pools.xml").as_uri(), **properties}
    return [
        str(spark_home() / "bin" / "spark-submit"),
        *(["--master", master] if master else []),
        "--name",
        job.stem.replace("_", "-"),
        "--properties-file",
        str(CONF_DIR / f"{profile}.conf"),
        "--driver-memory",
        memory,
        *(part for name, value in properties.items() for part in ("--conf", f"{name}={value}")),
        str(job),
        *arguments,
    ]
