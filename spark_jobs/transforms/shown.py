"""Recommendations as they are shown: one row for each customer, each product, and one for everybody."""

from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

EVERYBODY: Final = "everybody"
_TIME: Final = "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"
_ITEM: Final = ("product_id", "category", "score", "reason")


def _listed(found: DataFrame, categories: DataFrame, kind: str, subject: Column, model: str) -> DataFrame:
    """Ranked products (``product_id, score, place, reason`` and the subject's columns) as lists of items."""
    item = F.struct("place", *_ITEM)
    return (
        found.join(F.broadcast(categories), "product_id", "left")
        .groupBy(subject.alias("subject_id"))
        .agg(F.array_sort(F.collect_list(item)).alias("ranked"))
        .select(
            F.lit(kind).alias("subject_kind"),
            "subject_id",
            F.size("ranked").alias("rank_count"),
            F.transform("ranked", lambda one: F.struct(*(one[name].alias(name) for name in _ITEM))).alias("items"),
            F.lit(model).alias("model"),
        )
    )


def of_everybody(best: DataFrame, categories: DataFrame) -> DataFrame:
    """What to show where nothing is known of a customer.

    Args:
        best: Rows of ``popular``.
        categories: ``product_id, category``.
    """
    found = best.withColumn("reason", F.lit("popular"))
    return _listed(found, categories, EVERYBODY, F.lit(EVERYBODY), "popularity")


def of_products(pairs: DataFrame, best: DataFrame, categories: DataFrame) -> DataFrame:
    """What to show beside each product: what goes with it, filled up with what most like.

    Args:
        pairs: Rows of ``similar``.
        best: Rows of ``popular``.
        categories: ``product_id, category`` of all products.
    """
    beside = pairs.select(
        F.col("product_id").alias("beside"),
        F.col("other_id").alias("product_id"),
        "score",
        "place",
        F.lit("similar").alias("reason"),
    )
    most = F.broadcast(best.agg(F.max("place").alias("most")))
    filling = (
        categories.select(F.col("product_id").alias("beside"))
        .crossJoin(F.broadcast(best.select("product_id", F.col("place").alias("at"))))
        .where(F.col("beside") != F.col("product_id"))
        .join(beside.select("beside", "product_id"), ["beside", "product_id"], "left_anti")
        .crossJoin(most)
        # Behind everything that goes with it.
        .select("beside", "product_id", F.lit(0.0).alias("score"), (F.col("most") + F.col("at")).alias("place"))
        .withColumn("reason", F.lit("popular"))
    )
    order = Window.partitionBy("beside").orderBy("place", "product_id")
    filled = beside.unionByName(filling).withColumn("place", F.row_number().over(order))
    bounded = filled.crossJoin(most).where(F.col("place") <= F.col("most"))
    return _listed(bounded, categories, "product", F.col("beside"), "cosine")


def of_users(found: DataFrame, categories: DataFrame) -> DataFrame:
    """What to show to each customer.

    Args:
        found: Rows of ``personal``.
        categories: ``product_id, category``.
    """
    ranked = found.withColumn("score", F.col("score").cast("double")).withColumn("reason", F.lit("personal"))
    return _listed(ranked, categories, "user", F.col("user_id"), "als")


def bodies(rows: DataFrame) -> DataFrame:
    """Bulk bodies of the alias ``recommendations``: a line for the action, one for the document.

    Args:
        rows: Rows of ``gold.recommendations``.
    """
    stamp = F.date_format(F.current_timestamp(), _TIME)
    document = F.to_json(
        F.struct(
            "subject_kind",
            "subject_id",
            "rank_count",
            "items",
            "model",
            "model_version",
            F.date_format("trained_at", _TIME).alias("trained_at"),
            F.date_format("data_until", _TIME).alias("data_until"),
            stamp.alias("processed_at"),
            stamp.alias("indexed_at"),
        )
    )
    name = F.when(F.col("subject_kind") == EVERYBODY, F.lit(EVERYBODY)).otherwise(
        F.concat_ws(":", "subject_kind", "subject_id")
    )
    action = F.to_json(F.struct(F.struct(name.alias("_id")).alias("index")))
    return rows.select(F.concat(action, F.lit("\n"), document).alias("line"))
