from datetime import date
from decimal import Decimal
from typing import Any

from pyspark.sql import SparkSession

from spark_jobs.transforms.products import product_days

SCHEMA = (
    "event_date date, event_type string, product_id string, currency string, rating int, "
    "items array<struct<product_id:string,quantity:int,amount:decimal(18,2)>>"
)
DAY = date(2026, 3, 10)


def days_of(spark: SparkSession, rows: list[tuple[Any, ...]]) -> dict[tuple[str, str | None], dict[str, Any]]:
    """What a day's rows come to, by product and currency."""
    found = product_days(spark.createDataFrame([(DAY, *row) for row in rows], SCHEMA)).collect()
    return {(row["product_id"], row["currency"]): row.asDict() for row in found}


def test_lines_of_orders_and_returns_add_up_by_product_and_currency(spark: SparkSession) -> None:
    mug, pan = ("mug", 2, Decimal("3.10")), ("pan", 1, Decimal("20.00"))
    found = days_of(
        spark,
        [
            ("order_placed", None, "EUR", None, [mug, pan]),
            ("order_placed", None, "USD", None, [mug]),
            ("order_returned", None, "EUR", None, [mug]),
        ],
    )
    sums = {key: tuple(row[name] for name in ("sold", "revenue", "returned", "refunded")) for key, row in found.items()}
    assert sums == {
        ("mug", "EUR"): (2, Decimal("3.10"), 2, Decimal("3.10")),
        ("mug", "USD"): (2, Decimal("3.10"), 0, Decimal("0.00")),
        ("pan", "EUR"): (1, Decimal("20.00"), 0, Decimal("0.00")),
    }


def test_views_carts_and_reviews_have_no_currency_and_other_events_do_not_count(spark: SparkSession) -> None:
    found = days_of(
        spark,
        [
            ("product_view", "mug", "EUR", None, None),
            ("add_to_cart", "mug", "EUR", None, None),
            ("review_submitted", "mug", None, 4, None),
            ("review_submitted", "mug", None, 5, None),
            ("stock_level", "mug", None, None, None),
        ],
    )
    assert [
        tuple(row[name] for name in ("views", "carts", "sold", "reviews", "rating_sum")) for row in found.values()
    ] == [(1, 1, 0, 2, 9)]
    assert list(found) == [("mug", None)]
