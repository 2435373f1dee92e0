"""Refused events, repaired and sent again: the totals are as if they had never been wrong."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession

from include.config import Settings
from include.contracts.rules import Reason
from include.dead_letters.letter import Selection
from include.dead_letters.patches import read_rules
from include.dead_letters.receipt import Receipt
from include.dead_letters.repair import Repaired
from include.dead_letters.replay import Replay
from include.names import Table, Topic
from spark_jobs.batch import letters, silver
from spark_jobs.batch.families import silver_events
from spark_jobs.io import read, write
from spark_jobs.transforms.metrics import additive_metrics
from spark_jobs.transforms.parse import parse_events, rejected_events, valid_events
from tests.spark.bronze_rows import BRONZE, NOON, Record, archive, lake_in, order, visit

NOW = NOON + timedelta(hours=2)
RULES = """
rules:
  - {cast: $.total, to: decimal, when: {reason: wrong_type}}
  - {rename: $.userId, to: $.user_id}
  - {set: $.country, value: GB, when: {topic: user-events, values: {$.country: uk}}}
"""


def renamed(record: Record) -> Record:
    event = {"userId" if name == "user_id" else name: value for name, value in record.event.items()}
    return Record(record.topic, record.offset, event, record.at)


RIGHT = [
    order("fine", 0),
    order("total", 1, "12.50"),
    order("name", 2, "7.00"),
    visit("country", 0).again(0, 0, country="GB"),
    order("resent", 4, "5.00", at=1),
]
WRONG = [
    order("fine", 0),
    order("total", 1, "12.50").again(1, 0, total=12.5),
    renamed(order("name", 2, "7.00")),
    visit("country", 0).again(0, 0, country="uk"),
    # The shop noticed by itself and sent this one again; the letter of its first try is still there.
    order("resent", 3, "5.00").again(3, 0, total=5),
    order("resent", 4, "5.00", at=1),
    # Nobody can say what these were.
    Record(Topic.PURCHASES, 5, {}, raw=b'{"event_id": "half'),
    order("currency", 6, currency="euro"),
]
DAY = 86_400


class SparkShelf:
    """The job's own functions, in the tests' session."""

    def __init__(self, spark: SparkSession, settings: Settings) -> None:
        self._spark, self._settings = spark, settings

    def find(self, folder: Path, selection: Selection, rules: str, now: datetime, *, settle: bool) -> None:
        import json

        order = {"selection": selection.as_json(), "rules": rules, "now": now.isoformat(), "present": True}
        (folder / "order.json").write_text(json.dumps(order), encoding="utf-8")
        letters.find(self._spark, self._settings, folder)


class Archive:
    """In place of Kafka and the archive: what is sent is the next version of bronze."""

    def __init__(self, spark: SparkSession, settings: Settings) -> None:
        self._spark, self._settings, self.offset = spark, settings, 100

    def send(self, events: Sequence[tuple[str, Repaired]]) -> None:
        records = []
        for topic, event in events:
            self.offset += 1
            records.append(Record(Topic(topic), self.offset, {"user_id": "ann"}, at=7200, raw=event.value))
        archive(self._spark, self._settings, records)


def arrive(spark: SparkSession, settings: Settings, records: list[Record]) -> None:
    """Archive records and refuse the wrong ones, as the speed layer does."""
    archive(spark, settings, records)
    rejected = rejected_events(parse_events(read(spark, Table.BRONZE_EVENTS, settings)))
    write(rejected, Table.BRONZE_REJECTED, settings, partition_by=["arrival_date"])


def totals(events: DataFrame | None) -> list[Row]:
    assert events is not None
    return sorted(additive_metrics(events, DAY).collect(), key=str)


def replay(spark: SparkSession, settings: Settings, **chosen: Any) -> Receipt:
    shop = Archive(spark, settings)
    runs = Replay(settings, SparkShelf(spark, settings), shop, lambda: NOW)
    return runs.run(Selection(**chosen), read_rules(RULES, "r"), RULES)


def test_replaying_all_that_can_be_repaired_gives_the_totals_as_if_they_had_never_been_wrong(
    spark: SparkSession, tmp_path: Path
) -> None:
    records = spark.createDataFrame([record.row() for record in RIGHT], BRONZE)
    right = totals(valid_events(parse_events(records)))
    lake = lake_in(tmp_path)
    arrive(spark, lake, WRONG)
    silver.run(spark, lake)

    receipt = replay(spark, lake)

    assert (receipt.read, receipt.repaired, receipt.already_present, receipt.still_refused) == (6, 3, 1, 2)
    assert [one["reason"] for one in receipt.refused] == ["malformed_json", "bad_format"]
    # Before silver has seen what was sent, and as if the ledger were lost: bronze tells that the events are there.
    (lake.platform_data_dir / "dead-letters" / "ledger.sqlite").unlink()
    again = replay(spark, lake)
    assert (again.repaired, again.already_present, again.still_refused) == (0, 4, 2)
    silver.run(spark, lake)
    assert totals(silver_events(spark, lake)) == right


def test_letters_are_chosen_by_topic_reason_time_and_place_the_oldest_first(
    spark: SparkSession, tmp_path: Path
) -> None:
    lake = lake_in(tmp_path)
    assert letters.letters(spark, lake, Selection()) is None
    late = order("late", 9, currency="euro", at=600)
    arrive(spark, lake, [late, order("a", 1, currency="euro"), visit("v", 2).again(2, 5, country="uk")])

    def found(selection: Selection) -> list[str]:
        lines = letters.letters(spark, lake, selection)
        assert lines is not None
        return [str(letters.letter_from(row["line"]).place) for row in lines.collect()]

    assert found(Selection()) == ["purchases-0-1", "user-events-0-2", "purchases-0-9"]
    assert found(Selection(topics=(Topic.PURCHASES,), limit=1)) == ["purchases-0-1"]
    assert found(Selection(reasons=(Reason.WRONG_TYPE,))) == []
    assert found(Selection(since=NOON + timedelta(seconds=600))) == ["purchases-0-9"]
    assert found(Selection(until=datetime(2026, 3, 10, 12, 0, 5, tzinfo=UTC))) == ["purchases-0-1"]
    assert found(Selection(places=(letters.letter_from(line_at(spark, lake, 2)).place,))) == ["user-events-0-2"]


def line_at(spark: SparkSession, lake: Settings, offset: int) -> str:
    lines = letters.letters(spark, lake, Selection())
    assert lines is not None
    return str(next(row["line"] for row in lines.collect() if f'"offset":{offset}' in row["line"]))
