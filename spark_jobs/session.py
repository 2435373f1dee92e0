"""The Spark session of every job, from the properties in ``spark_jobs/conf``."""

import os
from pathlib import Path
from typing import Final, Literal

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

Profile = Literal["live", "batch"]

CONF_DIR: Final = Path(__file__).resolve().parent / "conf"
DEFAULT_MASTER: Final = "local[*]"


def spark_properties(profile: Profile) -> dict[str, str]:
    """The properties of ``spark_jobs/conf/<profile>.conf``, as ``spark-submit --properties-file`` reads them."""
    lines = (CONF_DIR / f"{profile}.conf").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(maxsplit=1) for line in lines if line.strip() and not line.startswith("#"))
    return {name: value.strip() for name, value in pairs}


def _submitted() -> dict[str, str]:
    """What ``spark-submit`` was given; empty when the job was started by plain Python."""
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        return {}
    # A SparkConf sees the submitter's properties only once Python is connected to the JVM that spark-submit started.
    SparkContext._ensure_initialized()
    return dict(SparkConf().getAll())


def build_session(app_name: str, profile: Profile) -> SparkSession:
    """Start (or get) the session; what the submitter set wins over the profile's file.

    Args:
        app_name: Name in the Spark UI.
        profile: ``live`` for streams (small batches), ``batch`` for everything else.
    """
    submitted = _submitted()
    wanted = {"spark.master": DEFAULT_MASTER, **spark_properties(profile)}
    builder = SparkSession.builder.appName(app_name)
    for name, value in wanted.items():
        if name not in submitted:
            builder = builder.config(name, value)
    return builder.getOrCreate()
