"""What a micro-batch saw of each product in each warehouse, as the shelf that it alone would make."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from include.names import Topic
from include.stock.rules import StockRules
from include.stock.shelf import SALES_KEPT


def observed(events: DataFrame, rules: StockRules) -> DataFrame:
    """What events say of shelves: one row for each count, each reported movement and each line of an order.

    Args:
        events: Conformed events.
        rules: Say which warehouse serves which country.

    Returns:
        ``at`` and ``kafka_time`` in milliseconds since 1970; ``product_id``; ``warehouse_id``, null for orders to
        countries that none serves; ``category``; ``level`` of a count, or ``units`` that came (below zero: went);
        ``is_sale``; ``id``.
    """
    # One pass: Spark would read a micro-batch twice for a union of its parts.
    observations = F.when(F.col("topic") == Topic.INVENTORY_UPDATES.value, F.array(_report())).when(
        F.col("event_type") == "order_placed", F.transform("items", lambda line, place: _sale(line, place, rules))
    )
    return events.select(
        F.unix_millis("event_time").alias("at"),
        F.unix_millis("kafka_time").alias("kafka_time"),
        F.explode(observations).alias("seen"),
    ).select("at", "kafka_time", "seen.*")


def shelves_seen(events: DataFrame, rules: StockRules) -> DataFrame:
    """One row per product and warehouse.

    Goods that customers send back do not count when they say so (``order_returned``), but when a warehouse reports
    that it has them (``stock_delta``).

    Args:
        events: Conformed events.
        rules: Say which warehouse serves which country.

    Returns:
        ``product_id``; ``warehouse_id``, null for orders to countries that none serves; and ``shelf``, which
        ``include.stock.shelf.shelf_from`` reads.
    """
    movement = F.when(F.col("units").isNotNull(), F.struct("at", "id", "units"))
    return (
        observed(events, rules)
        .groupBy("product_id", "warehouse_id")
        .agg(
            F.max(
                F.when(F.col("level").isNotNull(), F.struct("at", "id", "level", F.col("at").alias("counted_at")))
            ).alias("counted"),
            F.collect_set(movement).alias("movements"),
            F.collect_set(F.when(F.col("is_sale"), movement)).alias("sales"),
            F.max("at").alias("newest"),
            F.max("kafka_time").alias("kafka_time"),
            F.max("category").alias("category"),
        )
        .select("product_id", "warehouse_id", F.to_json(F.struct(*_kept())).alias("shelf"))
    )


def _kept() -> list[Column]:
    """Of the movements those after the count, of the sales the latest: the rest could not change anything any more."""
    after = F.filter("movements", lambda one: F.col("counted").isNull() | (one["at"] > F.col("counted.at")))
    latest = F.slice(F.sort_array("sales", asc=False), 1, SALES_KEPT)
    return [
        F.col("counted"),
        after.alias("movements"),
        latest.alias("sales"),
        *(F.col(name) for name in ("newest", "kafka_time", "category")),
    ]


def _report() -> Column:
    is_count = F.col("event_type") == "stock_level"
    return F.struct(
        F.col("product_id").alias("product_id"),
        F.col("warehouse_id").alias("warehouse_id"),
        F.lit(None).cast("string").alias("category"),
        F.when(is_count, F.col("level")).cast("bigint").alias("level"),
        F.when(~is_count, F.col("delta")).cast("bigint").alias("units"),
        F.lit(False).alias("is_sale"),
        F.col("event_id").alias("id"),
    )


def _sale(line: Column, place: Column, rules: StockRules) -> Column:
    return F.struct(
        line["product_id"].alias("product_id"),
        _warehouse(rules).alias("warehouse_id"),
        line["category"].alias("category"),
        F.lit(None).cast("bigint").alias("level"),
        (-line["quantity"]).cast("bigint").alias("units"),
        F.lit(True).alias("is_sale"),
        # A product may stand in several lines of an order.
        F.concat_ws("#", "event_id", place.cast("string")).alias("id"),
    )


def _warehouse(rules: StockRules) -> Column:
    chosen = F.lit(rules.elsewhere).cast("string")
    for warehouse, countries in rules.warehouses.items():
        chosen = F.when(F.col("shipping_country").isin(*countries), F.lit(warehouse)).otherwise(chosen)
    return chosen
