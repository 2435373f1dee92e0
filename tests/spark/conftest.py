from collections.abc import Iterator
from pathlib import Path

import pyspark
import pytest
from pyspark.sql import SparkSession

from include.config import get_settings
from include.local.judge_jar import JAR_NAME, judge_jar
from spark_jobs.session import spark_properties

JARS = Path(pyspark.__file__).parent / "jars"
_QUICK_START = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseSerialGC"


def _demand_jars() -> None:
    for name in ("delta-spark_", "spark-sql-kafka-", "hadoop-bare-naked-local-fs-"):
        if not any(JARS.glob(f"{name}*.jar")):
            pytest.exit(f"{JARS} has no {name}*.jar: run ./run.sh start or ./run.sh test once, they put it there", 2)
    if (JARS / JAR_NAME).resolve() != judge_jar(get_settings()).resolve():
        pytest.exit(f"{JARS / JAR_NAME} is not made of these sources: run python main.py artifacts fetch", 2)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """One small session for all tests, with the speed layer's properties."""
    _demand_jars()
    warehouse = tmp_path_factory.mktemp("warehouse")
    builder = SparkSession.builder.master("local[2]").appName("tests")
    properties = spark_properties("live")
    own = {
        "spark.ui.enabled": "false",
        "spark.sql.warehouse.dir": str(warehouse),
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        # What a commit costs beyond its own file matters only where tables have many.
        "spark.databricks.delta.writeChecksumFile.enabled": "false",
        # Each test runs new plans on few rows: half of the time went into compiling what is never run again.
        "spark.driver.extraJavaOptions": _QUICK_START,
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.shuffle.partitions": "1",
        "spark.databricks.delta.snapshotPartitions": "1",
    }
    for name, value in {**properties, **own}.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()
