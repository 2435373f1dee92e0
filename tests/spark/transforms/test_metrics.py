from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.transforms.metrics import MEASURES, additive_metrics

COLUMNS = (
    "event_type string, event_time timestamp, country string, device_type string, product_id string, category string, "
    "items array<struct<product_id:string,category:string,quantity:int,unit_price:decimal(18,2),"
    "amount:decimal(18,2)>>, "
    "currency string, total decimal(18,2)"
)
TIME = datetime(2026, 3, 1, 10, 0, 9, 999000, tzinfo=UTC)
CART = {"event_type": "add_to_cart", "event_time": TIME, "country": "DE", "device_type": "mobile", "product_id": "p1"}
ORDER = {
    "event_type": "order_placed",
    "event_time": TIME,
    "country": "FR",
    "device_type": "till",
    "items": [
        ("p1", "shoes", 2, None, Decimal("20.00")),
        ("p2", "shoes", 1, None, Decimal("5.50")),
        ("p1", "shoes", 1, None, Decimal("9.00")),
    ],
    "currency": "EUR",
    "total": Decimal("30.50"),
}
RETURN = {**ORDER, "event_type": "order_returned", "items": [("p2", "shoes", 1, None, Decimal("5.50"))]}
RETURN["total"] = Decimal("5.50")


def frame(spark: SparkSession, *events: dict[str, Any]) -> DataFrame:
    return spark.createDataFrame(list(events), COLUMNS)


def measured(metrics: DataFrame) -> dict[tuple[str, str, str | None], dict[str, Any]]:
    """What is not zero, by dimension, value and currency."""
    return {
        (row.dimension, row.value, row.currency): {name: row[name] for name in MEASURES if row[name]}
        for row in metrics.collect()
    }


def test_an_order_counts_once_per_product_and_category_with_the_sums_of_its_lines(spark: SparkSession) -> None:
    order = {"events": 1, "orders": 1, "items": 4, "revenue": Decimal("30.50")}
    assert measured(additive_metrics(frame(spark, ORDER), 10)) == {
        ("all", "all", "EUR"): order,
        ("event_type", "order_placed", "EUR"): order,
        ("country", "FR", "EUR"): order,
        ("device", "till", "EUR"): order,
        ("product", "p1", "EUR"): {"events": 1, "orders": 1, "items": 3, "revenue": Decimal("29.00")},
        ("product", "p2", "EUR"): {"events": 1, "orders": 1, "items": 1, "revenue": Decimal("5.50")},
        ("category", "shoes", "EUR"): {"events": 1, "orders": 1, "items": 4, "revenue": Decimal("34.50")},
    }


def test_a_return_is_refunded_and_takes_nothing_from_the_revenue(spark: SparkSession) -> None:
    metrics = measured(additive_metrics(frame(spark, ORDER, RETURN), 10))
    assert metrics["all", "all", "EUR"] == {
        "events": 2,
        "orders": 1,
        "items": 4,
        "revenue": Decimal("30.50"),
        "returns": 1,
        "refunded": Decimal("5.50"),
    }
    assert metrics["product", "p2", "EUR"]["refunded"] == Decimal("5.50")


def test_events_without_money_have_no_currency(spark: SparkSession) -> None:
    start = {"event_type": "session_start", "event_time": TIME, "currency": "EUR"}
    checkout = {"event_type": "checkout_started", "event_time": TIME}
    assert measured(additive_metrics(frame(spark, CART, start, checkout), 10)) == {
        ("all", "all", None): {"events": 3, "sessions": 1, "carts": 1, "checkouts": 1},
        ("event_type", "add_to_cart", None): {"events": 1, "carts": 1},
        ("event_type", "session_start", None): {"events": 1, "sessions": 1},
        ("event_type", "checkout_started", None): {"events": 1, "checkouts": 1},
        ("country", "DE", None): {"events": 1, "carts": 1},
        ("device", "mobile", None): {"events": 1, "carts": 1},
        ("product", "p1", None): {"events": 1, "carts": 1},
    }


def test_currencies_are_not_added_up(spark: SparkSession) -> None:
    metrics = measured(additive_metrics(frame(spark, ORDER, {**ORDER, "currency": "USD"}), 10))
    assert metrics["all", "all", "EUR"]["revenue"] == metrics["all", "all", "USD"]["revenue"] == Decimal("30.50")


def test_windows_start_at_multiples_of_their_length(spark: SparkSession) -> None:
    later = {**CART, "event_time": datetime(2026, 3, 1, 10, 0, 10, tzinfo=UTC)}
    starts = (
        additive_metrics(frame(spark, CART, later), 10)
        .where("dimension = 'all'")
        .selectExpr("date_format(window_start, 'HH:mm:ss') AS start")
    )
    assert sorted(row.start for row in starts.collect()) == ["10:00:00", "10:00:10"]
    days = additive_metrics(frame(spark, CART, later), 86_400).where("dimension = 'all'")
    assert [str(row.day) for row in days.selectExpr("CAST(window_start AS string) AS day").collect()] == [
        "2026-03-01 00:00:00"
    ]
