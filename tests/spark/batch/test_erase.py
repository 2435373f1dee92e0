"""A person leaves every table; totals, computed again from bronze, stay what they were."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from include.config import Settings
from include.erasure.person import Person
from include.erasure.scan import files_naming
from include.names import Table
from spark_jobs.alone import alone
from spark_jobs.batch import erase, silver
from spark_jobs.batch.families import silver_events
from spark_jobs.io import read, write
from spark_jobs.transforms.metrics import additive_metrics
from spark_jobs.transforms.parse import parse_events, rejected_events
from spark_jobs.transforms.profiles import customer_profiles
from tests.spark.bronze_rows import Record, archive, lake_in, order, visit

ANN = Person("ann", "erased-1")
HALF = b'{"user_id":"ann","order_id'


def of_bob(record: Record) -> Record:
    return record.again(record.offset, record.at, user_id="bob")


def totals(events: DataFrame | None) -> list[tuple[object, ...]]:
    assert events is not None
    return sorted((tuple(row) for row in additive_metrics(events, 86_400).collect()), key=str)


def fill(spark: SparkSession, lake: Settings) -> None:
    records = [
        order("a", 0),
        order("a", 1, at=5),
        of_bob(order("b", 2)),
        visit("v", 0),
        order("bad", 3, currency="euro"),
        Record(order("x", 4).topic, 4, {"user_id": "ann"}, raw=HALF),
    ]
    archive(spark, lake, records)
    rejected = rejected_events(parse_events(read(spark, Table.BRONZE_EVENTS, lake)))
    write(rejected, Table.BRONZE_REJECTED, lake, partition_by=["arrival_date"])
    silver.run(spark, lake)
    write(customer_profiles(read(spark, Table.SILVER_PURCHASES, lake)), Table.GOLD_CUSTOMER_PROFILES, lake)


def test_a_person_is_erased_everywhere_and_totals_stay(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    fill(spark, lake)
    before = totals(silver_events(spark, lake))
    found = {
        "bronze.events": 5,
        "bronze.rejected": 2,
        "silver.user_events": 1,
        "silver.purchases": 1,
        "silver.duplicates": 1,
        "gold.customer_profiles": 1,
    }
    assert erase.count(spark, lake, ANN) == found

    assert erase.erase(spark, lake, ANN) == found

    assert erase.count(spark, lake, ANN) == {}
    rows = read(spark, Table.SILVER_PURCHASES, lake).select("event_id", "user_id", "device_id", "card_id").collect()
    assert sorted(map(tuple, rows)) == [
        ("a_______", "erased-1", "erased", "erased"),
        ("b_______", "bob", "phone-1", "card-1"),
    ]
    assert [row["user_id"] for row in read(spark, Table.GOLD_CUSTOMER_PROFILES, lake).collect()] == ["bob"]
    letters = read(spark, Table.BRONZE_REJECTED, lake).orderBy("offset").select("key", "value", "found").collect()
    assert [(bytes(row["key"]), row["value"] is None, row["found"]) for row in letters] == [
        (b"erased-1", False, "erased"),
        (b"erased-1", True, "erased"),
    ]
    assert totals(silver_events(spark, lake)) == before
    silver.run(spark, lake, full=True)
    assert totals(silver_events(spark, lake)) == before
    assert erase.count(spark, lake, ANN) == {}
    old = [path for path in files_naming(lake, "ann") if "_delta_log" not in path]
    assert old
    erase.vacuum(spark, lake, 0)
    assert [path for path in files_naming(lake, "ann") if "_delta_log" not in path] == []


@contextmanager
def archiving(spark: SparkSession, lake: Settings) -> Iterator[list[int]]:
    """As the stream does it: a version after another, of the day that is being erased as well; gives the offsets."""
    offsets: list[int] = []
    stop = threading.Event()

    def append() -> None:
        while not stop.is_set():
            offset = 100 + len(offsets)
            with alone(lake, Table.BRONZE_EVENTS):
                archive(spark, lake, [of_bob(order(f"more{offset}", offset))])
            offsets.append(offset)

    thread = threading.Thread(target=append)
    thread.start()
    try:
        yield offsets
    finally:
        stop.set()
        thread.join()


def test_a_person_is_erased_while_the_archive_goes_on(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    fill(spark, lake)

    with archiving(spark, lake) as offsets:
        erase.erase(spark, lake, ANN)

    assert erase.count(spark, lake, ANN) == {}
    kept = read(spark, Table.BRONZE_EVENTS, lake).where("offset >= 100").select("offset").collect()
    assert sorted(row["offset"] for row in kept) == offsets
    assert len(offsets) > 1
