"""Of several who write the same version of a table's log, exactly one succeeds, and nobody's is lost."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

WRITERS = 4
VERSIONS = 50


def store_of(spark: SparkSession) -> Any:
    jvm = spark._jvm
    assert jvm is not None
    return jvm.realtimedataplatform.LinkedLogStore(configuration_of(spark))


def configuration_of(spark: SparkSession) -> Any:
    return spark._jsc.hadoopConfiguration()


def write(spark: SparkSession, file: Path, lines: list[str], *, overwrite: bool = False) -> bool:
    """Whether the file was written; it was not, when somebody else did it before."""
    jvm = spark._jvm
    assert jvm is not None
    actions = jvm.java.util.ArrayList()
    for line in lines:
        actions.add(line)
    path = jvm.org.apache.hadoop.fs.Path(file.as_uri())
    try:
        store_of(spark).write(path, actions.iterator(), overwrite, configuration_of(spark))
    except Py4JJavaError as error:
        if "FileAlreadyExistsException" not in str(error.java_exception):
            raise
        return False
    return True


def test_a_version_is_written_by_one_of_those_who_try_at_once(spark: SparkSession, tmp_path: Path) -> None:
    for version in range(VERSIONS):
        file = tmp_path / f"{version:020d}.json"
        with ThreadPoolExecutor(WRITERS) as pool:
            done = list(pool.map(lambda writer, to=file: write(spark, to, [f"by {writer}"]), range(WRITERS)))
        assert done.count(True) == 1
        assert file.read_text(encoding="utf-8") == f"by {done.index(True)}\n"
    assert len(list(tmp_path.iterdir())) == VERSIONS


def test_a_file_that_may_be_replaced_is(spark: SparkSession, tmp_path: Path) -> None:
    file = tmp_path / "_last_checkpoint"
    assert write(spark, file, ["one"], overwrite=True)
    assert write(spark, file, ["two", "lines"], overwrite=True)
    assert file.read_text(encoding="utf-8") == "two\nlines\n"


def test_tables_on_this_disk_are_committed_by_it(spark: SparkSession, tmp_path: Path) -> None:
    table = str(tmp_path / "table")
    spark.range(3).write.format("delta").save(table)
    spark.range(2).write.format("delta").mode("append").save(table)

    logs = sorted(path.name for path in (tmp_path / "table" / "_delta_log").glob("*.json"))
    assert logs == [f"{version:020d}.json" for version in range(2)]
    # A store that renames through Hadoop leaves a checksum beside each file.
    assert not list((tmp_path / "table" / "_delta_log").glob(".*.json.crc"))
    assert spark.read.format("delta").load(table).count() == 5
