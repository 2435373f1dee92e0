"""What customers did with products, and how much each deed says of their taste."""

from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

# An order says more than a cart, a cart more than a look.
_STRENGTH: Final = {"product_view": 1.0, "add_to_cart": 3.0, "order_placed": 5.0}
# Somebody who looks at a thing a hundred times does not like it a hundred times as much.
_MOST_STRENGTH: Final = 20.0


def interactions(events: DataFrame) -> DataFrame:
    """One row for each product that a customer looked at, put into the cart or ordered.

    Args:
        events: Conformed events of all families.

    Returns:
        ``user_id, product_id, category, strength, event_time``.
    """
    kinds = list(_STRENGTH)
    chosen = events.where(F.col("event_type").isin(kinds) & F.col("user_id").isNotNull())
    weight = F.create_map(*(F.lit(part) for pair in _STRENGTH.items() for part in pair))[F.col("event_type")]
    single = F.array(F.struct("product_id", "category"))
    ordered = F.transform("items", lambda line: F.struct(line["product_id"], line["category"]))
    return (
        chosen.select(
            "user_id",
            weight.alias("strength"),
            "event_time",
            F.explode(F.when(F.col("items").isNotNull(), ordered).otherwise(single)).alias("what"),
        )
        .select("user_id", F.expr("what.*"), "strength", "event_time")
        .toDF("user_id", "product_id", "category", "strength", "event_time")
        .where(F.col("product_id").isNotNull())
    )


def preferences(deeds: DataFrame) -> DataFrame:
    """How much each customer likes each product, from all that they did with it.

    Args:
        deeds: Rows of ``interactions``.

    Returns:
        ``user_id, product_id, strength``.
    """
    return deeds.groupBy("user_id", "product_id").agg(
        F.least(F.sum("strength"), F.lit(_MOST_STRENGTH)).alias("strength")
    )
