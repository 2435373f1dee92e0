from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pyspark.sql import SparkSession

from include.stock.rules import StockRules, load_rules
from include.stock.shelf import SALES_KEPT, Count, Movement, Shelf, shelf_from
from spark_jobs.transforms.stock import shelves_seen

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
AT: Final = int(NOON.timestamp() * 1000)
SCHEMA = (
    "topic string, event_id string, event_type string, event_time timestamp, kafka_time timestamp, product_id string, "
    "warehouse_id string, level bigint, delta bigint, shipping_country string, "
    "items array<struct<product_id:string,category:string,quantity:int>>"
)
Row = tuple[Any, ...]


def report(name: str, second: int, *, level: int | None = None, delta: int | None = None) -> Row:
    kind = "stock_delta" if level is None else "stock_level"
    time = NOON + timedelta(seconds=second)
    return ("inventory-updates", name, kind, time, time, "mug", "wh-berlin", level, delta, None, None)


def order(name: str, second: int, country: str, *items: tuple[str, int], kind: str = "order_placed") -> Row:
    time = NOON + timedelta(seconds=second)
    lines = [(product, "kitchen", quantity) for product, quantity in items]
    return ("purchases", name, kind, time, time, None, None, None, None, country, lines)


def seen(spark: SparkSession, *rows: Row, rules: StockRules | None = None) -> dict[tuple[str, str | None], Shelf]:
    found = shelves_seen(spark.createDataFrame(list(rows), SCHEMA), rules or load_rules()).collect()
    return {(row.product_id, row.warehouse_id): shelf_from(row.shelf) for row in found}


def test_a_count_and_what_moved_after_it_make_a_shelf(spark: SparkSession) -> None:
    found = seen(
        spark,
        order("before", 1, "DE", ("mug", 9)),
        report("count", 2, level=40),
        report("delta", 3, delta=10),
        order("after", 4, "AT", ("mug", 1), ("mug", 2)),
        order("after", 4, "AT", ("mug", 1), ("mug", 2)),
    )
    sales = (Movement(AT + 4000, "after#0", -1), Movement(AT + 4000, "after#1", -2))
    assert found == {
        ("mug", "wh-berlin"): Shelf(
            counted=Count(AT + 2000, "count", 40, AT + 2000),
            movements=(Movement(AT + 3000, "delta", 10), *sales),
            sales=(Movement(AT + 1000, "before#0", -9), *sales),
            newest=AT + 4000,
            kafka_time=AT + 4000,
            category="kitchen",
        )
    }


def test_an_order_takes_its_goods_from_the_warehouse_of_its_country(spark: SparkSession) -> None:
    orders = [order(f"o{place}", 1, place, ("mug", 1), ("cup", 1)) for place in ("DE", "GB", "BR")]
    returned = order("back", 2, "DE", ("mug", 1), kind="order_returned")
    assert set(seen(spark, *orders, returned)) == {
        (product, warehouse) for product in ("mug", "cup") for warehouse in ("wh-berlin", "wh-leeds", None)
    }
    elsewhere = load_rules().model_copy(update={"elsewhere": "wh-dayton"})
    assert ("mug", "wh-dayton") in seen(spark, *orders, rules=elsewhere)


def test_only_the_latest_sales_are_kept(spark: SparkSession) -> None:
    rows = [order(f"o{second:02}", second, "DE", ("mug", 1)) for second in range(SALES_KEPT + 5)]
    shelf = seen(spark, *rows, report("count", 100, level=7))["mug", "wh-berlin"]
    assert (len(shelf.movements), len(shelf.sales), shelf.sales[0].id) == (0, SALES_KEPT, "o05#0")
    assert (shelf.level, shelf.sold_per_hour) == (7, (SALES_KEPT - 1) * 3600 / 95)
