"""The personal model: alternating least squares over what customers like (implicit feedback)."""

from dataclasses import dataclass
from typing import Final

from pyspark.ml.recommendation import ALS
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

_SEED: Final = 17


@dataclass(frozen=True)
class Taste:
    """How the model is trained.

    Attributes:
        rank: How many hidden tastes it may find.
        rounds: Turns between customers and products.
        confidence: How much a strong deed counts more than none.
        regularisation: How much it is kept from learning single customers by heart.
    """

    rank: int = 8
    rounds: int = 8
    confidence: float = 1.0
    regularisation: float = 0.1


def _numbered(values: DataFrame, name: str) -> DataFrame:
    # Numbers in the values' order: the same data gives the same model.
    return values.select(name).distinct().withColumn(f"{name}_number", F.row_number().over(Window.orderBy(name)))


def personal(liked: DataFrame, most: int, taste: Taste = Taste()) -> DataFrame:
    """What each customer may like best; trains when it is called.

    What they know already is not left out: people come back to a product, and buy again.

    Args:
        liked: Rows of ``preferences``.
        most: How many for each customer.
        taste: How to train.

    Returns:
        ``user_id, product_id, score, place``.
    """
    users, products = _numbered(liked, "user_id"), _numbered(liked, "product_id")
    numbered = liked.join(users, "user_id").join(products, "product_id")
    als = ALS(
        userCol="user_id_number",
        itemCol="product_id_number",
        ratingCol="strength",
        implicitPrefs=True,
        rank=taste.rank,
        maxIter=taste.rounds,
        alpha=taste.confidence,
        regParam=taste.regularisation,
        numUserBlocks=2,
        numItemBlocks=2,
        seed=_SEED,
    )
    found = als.fit(numbered).recommendForAllUsers(most)
    flat = found.select("user_id_number", F.posexplode("recommendations").alias("at", "one"))
    return (
        flat.select("user_id_number", (F.col("at") + 1).alias("place"), F.expr("one.*"))
        .join(users, "user_id_number")
        .join(products, "product_id_number")
        .select("user_id", "product_id", F.round("rating", 6).alias("score"), "place")
    )
