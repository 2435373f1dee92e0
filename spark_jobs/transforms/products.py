"""What becomes of each product on each day: seen, put into carts, sold, sent back, reviewed."""

from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_MONEY: Final = "decimal(18,2)"


def product_days(events: DataFrame) -> DataFrame:
    """One row per UTC day and product, its money by currency.

    Args:
        events: Conformed events of all families with ``event_date``.

    Returns:
        ``event_date, product_id, currency, views, carts, sold, revenue, returned, refunded, reviews, rating_sum``; what
        has no currency (views, carts, reviews) is in rows whose currency is null. ``sold`` and ``returned`` are units.
    """
    is_line = F.col("items").isNotNull()
    lines = events.where(is_line).select("event_date", "event_type", "currency", F.expr("inline(items)"))
    sales = lines.select(
        "event_date",
        "product_id",
        "currency",
        "event_type",
        "quantity",
        "amount",
        F.lit(None).cast("int").alias("rating"),
    )
    rest = events.where(~is_line & F.col("product_id").isNotNull()).select(
        "event_date",
        "product_id",
        F.lit(None).cast("string").alias("currency"),
        "event_type",
        F.lit(0).alias("quantity"),
        F.lit(0).cast(_MONEY).alias("amount"),
        "rating",
    )

    def total(name: str, event_type: str, kind: str, called: str) -> Column:
        value = F.when(F.col("event_type") == event_type, F.col(name)).otherwise(0)
        return F.sum(value).cast(kind).alias(called)

    shop = F.col("event_type").isin("product_view", "add_to_cart", "order_placed", "order_returned", "review_submitted")
    return (
        sales.unionByName(rest)
        .where(shop)
        .groupBy("event_date", "product_id", "currency")
        .agg(
            F.count_if(F.col("event_type") == "product_view").alias("views"),
            F.count_if(F.col("event_type") == "add_to_cart").alias("carts"),
            total("quantity", "order_placed", "bigint", "sold"),
            total("amount", "order_placed", _MONEY, "revenue"),
            total("quantity", "order_returned", "bigint", "returned"),
            total("amount", "order_returned", _MONEY, "refunded"),
            F.count_if(F.col("event_type") == "review_submitted").alias("reviews"),
            total("rating", "review_submitted", "bigint", "rating_sum"),
        )
    )
