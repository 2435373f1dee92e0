"""Count, replace or finally remove one person in the lake.

    spark-submit --properties-file spark_jobs/conf/batch.conf spark_jobs/batch/erase.py FOLDER

The folder holds ``order.json``: the person, and the step ``count``, ``erase`` or ``vacuum``; the job writes
``result.json`` there. A file is used so that the person is in no process list and in no log.

Bronze keeps every record with its coordinates; only its key and bytes change, and a valid event stays valid. So silver
and gold, computed again from bronze, give the same totals.
"""

import argparse
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from include.config import Settings, get_settings
from include.erasure.person import ERASED, Person, erased_event, personal_columns
from include.handover.segments import write_atomically
from include.names import Table
from spark_jobs.alone import alone
from spark_jobs.batch import gold, silver
from spark_jobs.batch.copies import COORDINATES
from spark_jobs.io import read, table_exists
from spark_jobs.session import build_session

logger = logging.getLogger(__name__)

RAW: Final = (Table.BRONZE_EVENTS, Table.BRONZE_REJECTED)
# Rows that are about one person only; they are made anew from silver, of the pseudonym then.
PROFILES: Final = {Table.GOLD_CUSTOMER_PROFILES: "user_id", Table.GOLD_RECOMMENDATIONS: "subject_id"}
_CHANGED: Final = "topic string, partition int, offset long, arrival_date date, key binary, value binary"
_VACUUM: Final = {
    "spark.databricks.delta.retentionDurationCheck.enabled": "false",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "16",
}


def _raw_of(who: Person) -> Column:
    """Whether a record is the person's: by its key, by its field, or, where that is missing, by its text."""
    text = F.col("value").cast("string")
    named = F.get_json_object(text, "$.user_id")
    broken = named.isNull() & F.contains(text, F.lit(f'"{who.user_id}"'))
    by_key = F.col("key").eqNullSafe(F.lit(who.user_id.encode()))
    return by_key | named.eqNullSafe(F.lit(who.user_id)) | F.coalesce(broken, F.lit(False))


def rows_of(table: Table, rows: DataFrame, who: Person) -> DataFrame | None:
    """A table's rows of the person; None for tables without persons."""
    if table in RAW:
        return rows.where(_raw_of(who))
    column = PROFILES.get(table, "user_id")
    return rows.where(F.col(column) == who.user_id) if column in rows.columns else None


def count(spark: SparkSession, settings: Settings, who: Person) -> dict[str, int]:
    """How many rows of each table are the person's."""
    found = {}
    for table in Table:
        if table_exists(spark, table, settings):
            rows = rows_of(table, read(spark, table, settings), who)
            number = rows.count() if rows is not None else 0
            if number:
                found[table.value] = int(number)
    return found


def erase(spark: SparkSession, settings: Settings, who: Person) -> dict[str, int]:
    """Put the pseudonym in the person's place in every table; erasing again finds nothing more."""
    # Silver and gold would otherwise write what they have just read of the person, into tables counted as free of them.
    with alone(settings, silver.JOB), alone(settings, gold.JOB):
        found = count(spark, settings, who)
        for name in found:
            table = Table(name)
            delta = DeltaTable.forPath(spark, settings.table_path(table))
            if table in RAW:
                _erase_raw(spark, settings, delta, table, who)
            elif table in PROFILES:
                delta.delete(F.col(PROFILES[table]) == who.user_id)
            else:
                columns = set(read(spark, table, settings).columns)
                delta.update(F.col("user_id") == who.user_id, _replaced(columns, who))
    return found


def _replaced(columns: set[str], who: Person) -> dict[str, Column]:
    personal = {name: kind for name, kind in personal_columns().items() if name in columns}
    values = {
        name: F.when(F.col(name).isNotNull(), F.lit(ERASED)) if kind == "string" else F.lit(None).cast(kind)
        for name, kind in personal.items()
    }
    return {**values, "user_id": F.lit(who.pseudonym)}


def _erase_raw(spark: SparkSession, settings: Settings, delta: DeltaTable, table: Table, who: Person) -> None:
    rows = rows_of(table, read(spark, table, settings), who)
    assert rows is not None
    # The person's own records: few, so they are rewritten here.
    changed = [
        (
            row["topic"],
            row["partition"],
            row["offset"],
            row["arrival_date"],
            who.pseudonym.encode() if row["key"] == who.user_id.encode() else row["key"],
            erased_event(None if row["value"] is None else bytes(row["value"]), row["topic"], who),
        )
        for row in rows.select(*COORDINATES, "arrival_date", "key", "value").toLocalIterator()
    ]
    values = {"key": "new.key", "value": "new.value"}
    if table is Table.BRONZE_REJECTED:
        values["found"] = f"'{ERASED}'"
    same = " AND ".join(f"held.{name} = new.{name}" for name in COORDINATES)
    for day in sorted({row[3] for row in changed}):
        new = spark.createDataFrame([row for row in changed if row[3] == day], _CHANGED).alias("new")
        of_day = f"held.arrival_date = DATE'{day}' AND {same}"
        # The stream that appends waits, for one day's files at a time.
        with alone(settings, table):
            delta.alias("held").merge(F.broadcast(new), of_day).whenMatchedUpdate(set=values).execute()


def vacuum(spark: SparkSession, settings: Settings, hours: float) -> list[str]:
    """Delete files that no version needs and that are older than so many hours; returns the tables."""
    for name, value in _VACUUM.items():
        spark.conf.set(name, value)
    tables = [table for table in Table if table_exists(spark, table, settings)]
    for table in tables:
        DeltaTable.forPath(spark, settings.table_path(table)).vacuum(hours)
    return [table.value for table in tables]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run as a Spark job."""
    parser = argparse.ArgumentParser(description="Count, replace or finally remove one person in the lake.")
    parser.add_argument("folder", type=Path, help="holds order.json; takes result.json")
    options = parser.parse_args(arguments)
    order = json.loads((options.folder / "order.json").read_text(encoding="utf-8"))
    who = Person(order["user_id"], order["pseudonym"])
    settings = get_settings()
    spark = build_session("erase", "batch")
    try:
        result: dict[str, int] | list[str]
        if order["step"] == "vacuum":
            result = vacuum(spark, settings, order["hours"])
        else:
            result = (erase if order["step"] == "erase" else count)(spark, settings, who)
    finally:
        spark.stop()
    logger.info("erase step=%s tables=%s", order["step"], len(result))
    write_atomically(options.folder / "result.json", json.dumps(result))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main()
