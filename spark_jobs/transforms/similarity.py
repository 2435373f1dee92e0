"""Which products go together, and which everybody likes."""

from typing import Final

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

# A pair is made for each two products of a customer: the strongest say it, and the number of pairs stays bounded.
_MOST_PER_USER: Final = 50


def popular(liked: DataFrame, most: int) -> DataFrame:
    """The products that the most customers like.

    Args:
        liked: Rows of ``preferences``.
        most: How many.

    Returns:
        ``product_id, score, place``: the score is the share of customers; places begin with 1.
    """
    customers = liked.agg(F.count_distinct("user_id").alias("customers"))
    fans = liked.groupBy("product_id").agg(F.count(F.lit(1)).alias("fans"), F.sum("strength").alias("strength"))
    place = F.row_number().over(Window.orderBy(F.desc("fans"), F.desc("strength"), "product_id"))
    return (
        fans.crossJoin(F.broadcast(customers))
        .select("product_id", (F.col("fans") / F.col("customers")).alias("score"), place.alias("place"))
        .where(F.col("place") <= most)
    )


def similar(liked: DataFrame, most: int, together: int = 2) -> DataFrame:
    """Products that the same customers like: the cosine of their customers' vectors.

    Args:
        liked: Rows of ``preferences``.
        most: How many for each product.
        together: Customers that must like both.

    Returns:
        ``product_id, other_id, score, place``.
    """
    strongest = Window.partitionBy("user_id").orderBy(F.desc("strength"), "product_id")
    bounded = liked.withColumn("place", F.row_number().over(strongest)).where(F.col("place") <= _MOST_PER_USER)
    # A logarithm, so that who buys everything does not decide what goes together.
    weighed = bounded.select("user_id", "product_id", F.log1p("strength").alias("weight"))
    length = weighed.groupBy("product_id").agg(F.sqrt(F.sum(F.col("weight") * F.col("weight"))).alias("length"))
    other = weighed.select("user_id", F.col("product_id").alias("other_id"), F.col("weight").alias("other_weight"))
    both = (
        weighed.join(other, "user_id")
        .where(F.col("product_id") != F.col("other_id"))
        .groupBy("product_id", "other_id")
        .agg(F.sum(F.col("weight") * F.col("other_weight")).alias("product"), F.count(F.lit(1)).alias("together"))
        .where(F.col("together") >= together)
    )
    lengths = F.broadcast(length)
    cosine = F.col("product") / (F.col("length") * F.col("other_length"))
    place = F.row_number().over(Window.partitionBy("product_id").orderBy(F.desc("score"), "other_id"))
    return (
        both.join(lengths, "product_id")
        .join(lengths.toDF("other_id", "other_length"), "other_id")
        .select("product_id", "other_id", F.round(cosine, 6).alias("score"))
        .withColumn("place", place)
        .where(F.col("place") <= most)
    )
