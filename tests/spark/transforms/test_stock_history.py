from datetime import UTC, date, datetime
from typing import Any, Final

from pyspark.sql import SparkSession

from include.stock.rules import load_rules
from spark_jobs.transforms.stock_history import stock_days, stock_movements

SCHEMA: Final = (
    "topic string, event_id string, event_type string, event_time timestamp, kafka_time timestamp, product_id string, "
    "warehouse_id string, level bigint, delta bigint, shipping_country string, "
    "items array<struct<product_id:string,category:string,quantity:int>>"
)
MONDAY, TUESDAY, THURSDAY = 9, 10, 12
Row = tuple[Any, ...]


def report(name: str, day: int, hour: int, *, level: int | None = None, delta: int | None = None) -> Row:
    kind = "stock_delta" if level is None else "stock_level"
    time = datetime(2026, 3, day, hour, tzinfo=UTC)
    return ("inventory-updates", name, kind, time, time, "mug", "wh-berlin", level, delta, None, None)


def order(name: str, day: int, hour: int, quantity: int, country: str = "DE") -> Row:
    time = datetime(2026, 3, day, hour, tzinfo=UTC)
    lines = [("mug", "kitchen", quantity)]
    return ("purchases", name, "order_placed", time, time, None, None, None, None, country, lines)


def closing(spark: SparkSession, *rows: Row) -> dict[int, int | None]:
    movements = stock_movements(spark.createDataFrame(list(rows), SCHEMA), load_rules())
    return {row["event_date"].day: row["closing"] for row in stock_days(movements).collect()}


def test_what_came_and_went_is_told_apart_by_day(spark: SparkSession) -> None:
    rows = [
        report("count", MONDAY, 9, level=40),
        report("refill", MONDAY, 10, delta=10),
        report("damage", MONDAY, 11, delta=-3),
        order("early", MONDAY, 8, 5),
        order("late", MONDAY, 12, 2),
        order("elsewhere", MONDAY, 12, 7, "BR"),
    ]
    found = stock_movements(spark.createDataFrame(rows, SCHEMA), load_rules()).collect()
    assert [row.asDict() for row in found] == [
        {
            "event_date": date(2026, 3, MONDAY),
            "product_id": "mug",
            "warehouse_id": "wh-berlin",
            "received": 10,
            "taken": 3,
            "sold": 7,
            "counted": 40,
            "counted_at": datetime(2026, 3, MONDAY, 9),
            "moved_since": 5,
        }
    ]


def test_a_days_end_follows_from_the_last_count_however_long_ago(spark: SparkSession) -> None:
    rows = [
        order("before", MONDAY, 8, 5),
        report("count", TUESDAY, 9, level=40),
        order("after", TUESDAY, 10, 1),
        order("days", THURSDAY, 10, 50),
        report("again", THURSDAY + 1, 7, level=8),
    ]
    assert closing(spark, *rows) == {MONDAY: None, TUESDAY: 39, THURSDAY: -11, THURSDAY + 1: 8}
