"""How good recommendations are, measured on what customers did later."""

from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from include.recommendations.decision import Quality

AT: Final = 10


def measure(shown: DataFrame, later: DataFrame, products: int) -> Quality:
    """Compare what was recommended with what came.

    Args:
        shown: ``user_id, product_id, place``.
        later: ``user_id, product_id`` of what customers did afterwards, each pair once.
        products: How many products there are.
    """
    first = shown.where(F.col("place") <= AT).select("user_id", "product_id", F.lit(1).alias("shown"))
    found = (
        later.join(first, ["user_id", "product_id"], "left")
        .groupBy("user_id")
        .agg(F.sum(F.coalesce("shown", F.lit(0))).alias("hits"), F.count(F.lit(1)).alias("wanted"))
        .agg(
            F.count(F.lit(1)).alias("customers"),
            F.avg(F.col("hits") / F.least("wanted", F.lit(AT))).alias("recall"),
            F.avg((F.col("hits") > 0).cast("double")).alias("hit_rate"),
        )
        .first()
    )
    covered = first.join(later.select("user_id").distinct(), "user_id", "left_semi").select("product_id").distinct()
    return Quality(
        customers=int(found["customers"]),
        recall=round(float(found["recall"] or 0), 4),
        hit_rate=round(float(found["hit_rate"] or 0), 4),
        coverage=round(covered.count() / max(1, products), 4),
    )
