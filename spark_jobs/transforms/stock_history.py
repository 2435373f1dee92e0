"""Stock by day: what moved on each shelf, and what was left."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from include.stock.rules import StockRules
from spark_jobs.transforms.stock import observed

SHELF = ("product_id", "warehouse_id")


def stock_movements(events: DataFrame, rules: StockRules) -> DataFrame:
    """One row per UTC day, product and warehouse of which something is known.

    Args:
        events: Conformed events.
        rules: Say which warehouse serves which country; orders that none serves take nobody's stock.

    Returns:
        ``event_date, product_id, warehouse_id, received, taken, sold, counted, counted_at, moved_since``: units that
        came, units that went otherwise than by sale, units sold; the day's last count, null without one; and what the
        movements after it (without one: of the day) add up to.
    """
    seen = (
        observed(events, rules)
        .where(F.col("warehouse_id").isNotNull())
        .withColumn("event_date", F.to_date(F.timestamp_millis("at")))
    )
    count = F.when(F.col("level").isNotNull(), F.struct("at", "id", "level"))
    counted = seen.withColumn("count", F.max(count).over(Window.partitionBy("event_date", *SHELF)))
    units, is_sale = F.coalesce("units", F.lit(0)), F.col("is_sale")
    is_after = F.col("count").isNull() | (F.col("at") > F.col("count.at"))
    return (
        counted.groupBy("event_date", *SHELF)
        .agg(
            F.sum(F.when(~is_sale & (units > 0), units).otherwise(0)).alias("received"),
            F.sum(F.when(~is_sale & (units < 0), -units).otherwise(0)).alias("taken"),
            F.sum(F.when(is_sale, -units).otherwise(0)).alias("sold"),
            F.max("count").alias("count"),
            F.sum(F.when(is_after, units).otherwise(0)).alias("moved_since"),
        )
        .select(
            "event_date",
            *SHELF,
            "received",
            "taken",
            "sold",
            F.col("count.level").alias("counted"),
            F.timestamp_millis("count.at").alias("counted_at"),
            "moved_since",
        )
    )


def stock_days(movements: DataFrame) -> DataFrame:
    """What was left on each shelf at the end of each day on which something moved.

    Args:
        movements: All rows of ``stock_movements``: a day's end follows from the last count, however long ago.

    Returns:
        ``event_date, product_id, warehouse_id, received, taken, sold, counted, closing``; ``closing`` is null before
        the first count, when nobody knows, and below zero when more was sold than was there.
    """
    in_order = Window.partitionBy(*SHELF).orderBy("event_date")
    epochs = movements.withColumn("counts", F.count("counted").over(in_order))
    since_count = Window.partitionBy(*SHELF, "counts").orderBy("event_date")
    running = F.sum(F.coalesce("counted", F.lit(0)) + F.col("moved_since")).over(since_count)
    closing = F.when(F.col("counts") > 0, running).cast("bigint")
    return epochs.withColumn("closing", closing).select(
        "event_date", *SHELF, "received", "taken", "sold", "counted", "closing"
    )
