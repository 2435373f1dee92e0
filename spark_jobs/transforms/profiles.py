"""What is usual for each customer: recency, frequency, value, amounts, devices, cards and countries."""

from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

PROFILE_SCHEMA: Final = (
    "user_id string, currency string, orders bigint, revenue decimal(18,2), usual_amount decimal(18,2), "
    "mean_amount decimal(18,2), first_order timestamp, last_order timestamp, devices array<string>, "
    "cards array<string>, countries array<string>"
)

_USUAL: Final = 0.95
# Who has more than this has no usual one.
_MOST_KEPT: Final = 20


def _distinct(name: str) -> Column:
    return F.slice(F.array_sort(F.collect_set(name)), 1, _MOST_KEPT)


def customer_profiles(purchases: DataFrame) -> DataFrame:
    """One row per customer, over the orders in the currency that the customer uses most.

    Args:
        purchases: ``silver.purchases``.

    Returns:
        ``user_id, currency, orders, revenue, usual_amount, mean_amount, first_order, last_order, devices, cards,
        countries``: ``usual_amount`` is the 95th percentile of the order totals; the arrays are sorted and hold at most
        twenty values.
    """
    by_currency = (
        purchases.where(F.col("event_type") == "order_placed")
        .groupBy("user_id", "currency")
        .agg(
            F.count_distinct("order_id").alias("orders"),
            F.sum("total").cast("decimal(18,2)").alias("revenue"),
            F.percentile_approx("total", _USUAL).cast("decimal(18,2)").alias("usual_amount"),
            F.avg("total").cast("decimal(18,2)").alias("mean_amount"),
            F.min("event_time").alias("first_order"),
            F.max("event_time").alias("last_order"),
            _distinct("device_id").alias("devices"),
            _distinct("card_id").alias("cards"),
            _distinct("shipping_country").alias("countries"),
        )
    )
    most_used = Window.partitionBy("user_id").orderBy(F.desc("orders"), F.desc("last_order"), "currency")
    ranked = by_currency.withColumn("rank", F.row_number().over(most_used))
    return ranked.where(F.col("rank") == 1).select(
        "user_id",
        "currency",
        "orders",
        "revenue",
        "usual_amount",
        "mean_amount",
        "first_order",
        "last_order",
        "devices",
        "cards",
        "countries",
    )
