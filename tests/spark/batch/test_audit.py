"""Audits of a small lake: all is right, then damaged in every way that the audit must see."""

from datetime import date
from pathlib import Path
from typing import Any

from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from include.config import Settings
from include.names import Table
from spark_jobs.batch import gold, progress, silver
from spark_jobs.batch.audit import Audit
from spark_jobs.io import read, write
from spark_jobs.transforms.parse import parse_events, rejected_events
from tests.spark.bronze_rows import BRONZE, Record, archive, lake_in, order, visit

DAY = "2026-03-10"
RECORDS = [
    order("a", 0),
    order("b", 1),
    order("c", 2),
    visit("v", 0),
    order("bad", 3, currency="euro"),
    order("a", 4, at=5),
]
ENDS = {"purchases": {0: 6}, "user-events": {0: 1}}


def audit(spark: SparkSession, lake: Settings, records: list[Record]) -> dict[str, Any]:
    kafka = spark.createDataFrame([record.row() for record in records], BRONZE)
    return Audit(spark, lake, [DAY], ENDS, kafka).run()


def test_a_lake_is_right_and_each_damage_is_listed_by_event(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    archive(spark, lake, RECORDS)
    rejected = rejected_events(parse_events(read(spark, Table.BRONZE_EVENTS, lake)))
    write(rejected, Table.BRONZE_REJECTED, lake, partition_by=["arrival_date"])
    silver.run(spark, lake)
    rows = spark.createDataFrame([(date(2026, 3, 10), "all", 4)], "event_date date, dimension string, events long")
    write(rows, Table.GOLD_METRICS_DAILY, lake)
    progress.record(spark, lake, gold.JOB, 0)

    found = audit(spark, lake, RECORDS)

    assert found["differences"] == []
    assert found["counts"] == {
        "kafka_records": 6,
        "kafka_ids": 5,
        "bronze_records": 6,
        "refused_records": 1,
        "bronze_ids": 4,
        "silver_records": 4,
        "silver_ids": 4,
    }
    assert (found["hours"], found["repeated"]) == ({f"{DAY}T12": 4}, {f"{DAY}T12": ["a_______"]})
    assert (found["days"], found["gold"], found["pending"]) == ({DAY: 4}, {DAY: 4}, [])

    held = read(spark, Table.SILVER_PURCHASES, lake)
    copy = spark.createDataFrame(held.where("event_id = 'c_______'").collect(), held.schema)
    write(copy, Table.SILVER_PURCHASES, lake)
    table = DeltaTable.forPath(spark, lake.table_path(Table.SILVER_PURCHASES))
    table.delete("event_id = 'b_______'")
    table.update("event_id = 'a_______'", {"event_id": "'other___'"})

    found = audit(spark, lake, [*RECORDS, order("lost", 5), order("d", 1)])

    assert {one["what"]: one["events"] for one in found["differences"]} == {
        "in Kafka, not in bronze": ["purchases lost____ 0 5"],
        "in bronze with another event than in Kafka": ["purchases d_______ 0 1"],
        "in bronze, not in silver": [f"purchases a_______ {DAY}", f"purchases b_______ {DAY}"],
        "in silver, not in bronze": [f"purchases other___ {DAY}"],
        "more than once in silver": [f"purchases c_______ {DAY}"],
    }
