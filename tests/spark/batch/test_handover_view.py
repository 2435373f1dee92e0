from datetime import datetime, timedelta

from pyspark.sql import DataFrame, SparkSession

from include.handover.cells import Kind
from include.handover.checkpoint import Offsets
from spark_jobs.batch.copies import with_date, with_rank
from spark_jobs.batch.view import change, events_before
from tests.spark.bronze_rows import NOON, Record, order

WINDOW = 600
SCHEMA = (
    "topic string, partition int, offset long, kafka_time timestamp, event_id string, event_time timestamp, "
    "order_id string"
)


def vector(first: int, second: int = 0) -> Offsets:
    return {"purchases": {0: first, 1: second}}


def tables(spark: SparkSession, records: list[Record]) -> tuple[DataFrame, DataFrame]:
    """What silver and its duplicates hold of the records."""
    rows = [
        (
            record.topic.value,
            record.partition,
            record.offset,
            NOON + timedelta(seconds=record.at),
            record.event["event_id"],
            datetime.fromisoformat(record.event["event_time"]),
            record.event["order_id"],
        )
        for record in records
    ]
    ranked = with_rank(with_date(spark.createDataFrame(rows, SCHEMA))).cache()
    events = [ranked.where(f"copy {which} 1").drop("copy", "use") for which in ("=", ">")]
    return events[0], events[1]


def names(events: DataFrame) -> list[str]:
    return sorted(f"{row['event_id'].rstrip('_')}@{row['partition']}-{row['offset']}" for row in events.collect())


def kind(found: dict[Kind, DataFrame], wanted: Kind) -> list[str]:
    return names(found[wanted]) if wanted in found else []


def between(spark: SparkSession, records: list[Record], start: Offsets, end: Offsets) -> dict[Kind, DataFrame]:
    return change(*tables(spark, records), start, end, WINDOW)


def test_an_event_counts_from_the_vector_on_that_has_passed_it(spark: SparkSession) -> None:
    events, copies = tables(spark, [order("a", 0), order("b", 1), order("c", 2)])
    assert names(events_before(events, copies, vector(2))) == ["a@0-0", "b@0-1"]


def test_a_copy_before_the_vector_counts_while_the_first_copy_lies_after_it(spark: SparkSession) -> None:
    first = order("a", 5, at=1)
    events, copies = tables(spark, [first, first.again(0, at=2, partition=1)])
    assert names(events_before(events, copies, vector(5, 1))) == ["a@1-0"]
    assert names(events_before(events, copies, vector(6, 1))) == ["a@0-5"]


def test_a_copy_in_the_next_segment_gains_nothing(spark: SparkSession) -> None:
    first = order("a", 0)
    found = between(spark, [first, first.again(1, at=60)], vector(1), vector(2))
    assert (kind(found, Kind.GAINED), kind(found, Kind.LOST), kind(found, Kind.REPEATED)) == ([], [], [])


def test_a_copy_beyond_the_window_may_have_been_counted_again(spark: SparkSession) -> None:
    first = order("a", 0)
    found = between(spark, [first, first.again(1, at=WINDOW)], vector(1), vector(2))
    assert (kind(found, Kind.GAINED), kind(found, Kind.REPEATED)) == ([], ["a@0-1"])


def test_an_event_that_gives_way_to_its_earlier_copy_is_lost_and_gained(spark: SparkSession) -> None:
    first = order("a", 5, at=1)
    found = between(spark, [first, first.again(0, at=2, partition=1)], vector(5, 1), vector(6, 1))
    assert (kind(found, Kind.GAINED), kind(found, Kind.LOST)) == (["a@0-5"], ["a@1-0"])


def test_a_copy_with_another_content_may_have_been_met_first(spark: SparkSession) -> None:
    first = order("a", 0)
    found = between(spark, [first, first.again(1, at=2, order_id="other")], vector(0), vector(2))
    assert (kind(found, Kind.DIFFERING), kind(found, Kind.CONTESTED), kind(found, Kind.REPEATED)) == (
        ["a@0-1"],
        ["a@0-0"],
        [],
    )


def test_an_id_that_names_two_events_may_hide_one(spark: SparkSession) -> None:
    records = [order("a", 0), order("a", 1, happened=-86_400)]
    found = between(spark, records, vector(0), vector(2))
    assert kind(found, Kind.REUSED) == ["a@0-0", "a@0-1"]
