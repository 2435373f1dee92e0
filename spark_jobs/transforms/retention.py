"""Who comes back: of the customers who first ordered in a week, how many ordered in each week after it."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def weekly_retention(purchases: DataFrame) -> DataFrame:
    """One row per week of first orders and number of weeks after it in which somebody of them ordered.

    Args:
        purchases: All of ``silver.purchases``; weeks start on Monday, UTC.

    Returns:
        ``cohort_week, weeks_later, customers, buyers``: who first ordered in the week, and who of them ordered in the
        week that is so many weeks later; both are equal for ``weeks_later`` 0.
    """
    orders = purchases.where(F.col("event_type") == "order_placed").select(
        "user_id", F.to_date(F.date_trunc("week", "event_time")).alias("week")
    )
    cohorts = orders.groupBy("user_id").agg(F.min("week").alias("cohort_week"))
    sizes = cohorts.groupBy("cohort_week").agg(F.count(F.lit(1)).alias("customers"))
    active = orders.distinct().join(cohorts, "user_id")
    later = F.floor(F.date_diff("week", "cohort_week") / 7).cast("int")
    buyers = active.groupBy("cohort_week", later.alias("weeks_later")).agg(F.count(F.lit(1)).alias("buyers"))
    return buyers.join(F.broadcast(sizes), "cohort_week").select("cohort_week", "weeks_later", "customers", "buyers")
