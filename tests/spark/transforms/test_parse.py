import random
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, Row, SparkSession

from include.contracts.validation import Rejection, check
from include.names import Topic
from spark_jobs.transforms.parse import parse_events, rejected_events, valid_events
from tests.records import CART, EXAMPLES, KAFKA_TIME, NUMBERS, ORDER, STRANGE, VALUES, Record, random_record, record_of

COLUMNS = "topic string, partition int, offset bigint, kafka_time timestamp, key binary, value binary"


def frame(spark: SparkSession, records: list[Record]) -> DataFrame:
    rows = [
        (
            record.topic,
            0,
            offset,
            record.kafka_time,
            None if record.key is None else bytearray(record.key),
            None if record.value is None else bytearray(record.value),
        )
        for offset, record in enumerate(records)
    ]
    return spark.createDataFrame(rows, COLUMNS)


def verdict_of_python(record: Record) -> tuple[str, ...] | None:
    return _parts(check(record.value, Topic(record.topic), record.key, record.kafka_time))


def verdict_of_spark(row: Row) -> tuple[str, ...] | None:
    assert (row.event is None) == (row.rejection is not None)
    return _parts(row.rejection)


def _parts(rejection: Rejection | Row | None) -> tuple[str, ...] | None:
    if rejection is None:
        return None
    return rejection.stage, str(rejection.reason), rejection.field, rejection.expected, rejection.contract


def assert_same_verdicts(spark: SparkSession, records: list[Record]) -> int:
    """Compare Spark and Python on every record; gives how many they accept."""
    rows = parse_events(frame(spark, records)).select("offset", "event", "rejection").orderBy("offset").collect()
    verdicts = [(verdict_of_python(record), verdict_of_spark(row)) for record, row in zip(records, rows, strict=True)]
    differences = [
        (record.topic, record.key, (record.value or b"")[:1500], python, spark_says)
        for record, (python, spark_says) in zip(records, verdicts, strict=True)
        if python != spark_says
    ]
    assert differences == []
    return sum(python is None for python, _ in verdicts)


def each_value_in_each_field() -> list[Record]:
    records = []
    for topic, key_field, example in EXAMPLES:
        for name in example:
            changed = [{**example, name: value} for value in VALUES]
            records += [record_of(topic, key_field, document) for document in changed]
    return records


def each_raw_text_in_some_fields() -> list[Record]:
    key = str(ORDER["user_id"]).encode()
    value = (record_of(Topic.USER_EVENTS, "user_id", CART).value or b"").decode()
    places = ('"latitude": 52.5', '"quantity": 1', '"country": "DE"', '"schema_version": 1')
    return [
        Record(Topic.USER_EVENTS, key, value.replace(place, place.split(":")[0] + ": " + raw).encode())
        for place in (*places, '"event_id": "event-0001"')
        for raw in (*NUMBERS, *STRANGE)
    ] + [
        Record(Topic.USER_EVENTS, key, value.replace('{"event_id"', f'{{"unknown": {raw}, "event_id"').encode())
        for raw in (*NUMBERS, *STRANGE)
    ]


def test_spark_and_python_agree_on_every_value_in_every_field(spark: SparkSession) -> None:
    records = each_value_in_each_field()
    accepted = assert_same_verdicts(spark, records)
    assert 100 < accepted < len(records) - 1000


def test_spark_and_python_agree_on_every_raw_text(spark: SparkSession) -> None:
    records = each_raw_text_in_some_fields()
    accepted = assert_same_verdicts(spark, records)
    assert 10 < accepted < len(records) - 100


@settings(max_examples=4, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_spark_and_python_agree_on_mutated_records(spark: SparkSession, seed: int) -> None:
    rng = random.Random(seed)
    records = [random_record(rng) for _ in range(1500)]
    accepted = assert_same_verdicts(spark, records)
    assert 150 < accepted < 1300


def conformed(spark: SparkSession, document: dict[str, Any], topic: Topic, key_field: str) -> dict[str, Any]:
    [row] = valid_events(parse_events(frame(spark, [record_of(topic, key_field, document)]))).collect()
    return {name: value for name, value in row.asDict(recursive=True).items() if value is not None}


def test_an_order_becomes_a_flat_typed_row(spark: SparkSession) -> None:
    line = {"product_id": "p1", "category": "shoes", "quantity": 2, "unit_price": None, "amount": Decimal("20.00")}
    expected = {
        "topic": "purchases",
        "partition": 0,
        "offset": 0,
        "event_id": "event-0001",
        "event_type": "order_placed",
        "schema_version": 1,
        "user_id": "ann@example.org",
        "device_id": "d1",
        "device_type": "mobile",
        "country": "DE",
        "currency": "EUR",
        "order_id": "o1",
        "items": [line, {**line, "product_id": "p2", "unit_price": Decimal("10.00")}],
        "discount": Decimal("0.00"),
        "total": Decimal("40.00"),
        "payment_method": "card",
        "card_id": "c1",
        "shipping_country": "DE",
        "billing_country": "FR",
    }
    event = conformed(spark, ORDER, Topic.PURCHASES, "user_id")
    assert event.pop("kafka_time").astimezone(UTC) == KAFKA_TIME
    assert event.pop("event_time").astimezone(UTC) == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert event == expected


def test_an_event_with_unknown_fields_gives_the_same_row(spark: SparkSession) -> None:
    plain = conformed(spark, ORDER, Topic.PURCHASES, "user_id")
    unusual = {**ORDER, "level": "not ours", "rating": 5, "schema_version": 1.0, "remark": None}
    assert conformed(spark, unusual, Topic.PURCHASES, "user_id") == plain


def test_a_refused_record_keeps_its_bytes_and_says_why(spark: SparkSession) -> None:
    broken = record_of(
        Topic.PURCHASES, "user_id", {**ORDER, "items": [ORDER["items"][0], {**ORDER["items"][1], "quantity": 0}]}
    )
    [row] = rejected_events(parse_events(frame(spark, [broken]))).collect()
    assert (bytes(row.value), bytes(row.key)) == (broken.value, broken.key)
    assert (row.stage, row.reason, row.field, row.expected, row.found, row.contract) == (
        "contract",
        "out_of_range",
        "items[1].quantity",
        "at least 1",
        "0",
        "purchase.v1",
    )
    assert str(row.arrival_date) == "2026-03-01"


def test_personal_values_are_masked_in_rejections(spark: SparkSession) -> None:
    misspelt = Record(
        Topic.USER_EVENTS, b"ann b", (record_of(Topic.USER_EVENTS, "user_id", {**CART, "user_id": "ann b"})).value
    )
    other_key = Record(Topic.USER_EVENTS, b"bob", record_of(Topic.USER_EVENTS, "user_id", CART).value)
    rows = rejected_events(parse_events(frame(spark, [misspelt, other_key]))).collect()
    assert [(row.field, row.found) for row in rows] == [("user_id", "***"), ("user_id", "***")]
