"""Train recommendations from silver, measure them on what customers did later, and write what may be shown.

    spark-submit --properties-file spark_jobs/conf/batch.conf spark_jobs/batch/recommendations.py FOLDER [--days 90]

The last fifth of the time is kept from the model first, and says how good it is. When it is good enough, it is trained
again on all of it: ``gold.recommendations`` is replaced, and ``FOLDER/documents`` gets the bodies for the alias
``recommendations``. ``FOLDER/result.json``, written last, holds the figures and the decision.
"""

import argparse
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from include.config import Settings, get_settings
from include.handover.segments import write_atomically
from include.names import Table
from include.recommendations.decision import FEWEST_CUSTOMERS, Decision, Quality, decide
from include.recommendations.records import published
from spark_jobs.batch.days import between, in_days
from spark_jobs.batch.families import silver_events
from spark_jobs.io import write
from spark_jobs.session import build_session
from spark_jobs.transforms.interactions import interactions, preferences
from spark_jobs.transforms.ranking_quality import AT, measure
from spark_jobs.transforms.shown import bodies, of_everybody, of_products, of_users
from spark_jobs.transforms.similarity import popular, similar
from spark_jobs.transforms.taste import personal

logger = logging.getLogger(__name__)

KEPT_FOR_TEST: Final = 0.2
MOST: Final = 20
DAYS: Final = 90


@dataclass(frozen=True)
class Measured:
    """How good the model and its baseline are, and of how much data."""

    personal: Quality
    popular: Quality
    interactions: int
    customers: int
    products: int


def measured(deeds: DataFrame) -> Measured:
    """Train on the first four fifths of the time, and compare with the last.

    Args:
        deeds: Rows of ``interactions``.
    """
    moment = F.col("event_time").cast("double")
    cut = deeds.select(F.percentile_approx(moment, 1 - KEPT_FOR_TEST)).first()[0]
    liked = preferences(deeds.where(moment <= cut)).cache()
    known = liked.select("user_id").distinct()
    later = deeds.where(moment > cut).select("user_id", "product_id").distinct()
    later = later.join(known, "user_id", "left_semi").cache()
    products = liked.select("product_id").distinct().count()
    back = later.select("user_id").distinct().cache()
    if back.count() < FEWEST_CUSTOMERS:
        # Too few to tell: nothing is trained for figures that nobody may trust.
        model = baseline = Quality(customers=back.count())
    else:
        best = back.crossJoin(F.broadcast(popular(liked, AT)))
        model, baseline = measure(personal(liked, AT), later, products), measure(best, later, products)
    found = Measured(
        personal=model,
        popular=baseline,
        interactions=deeds.count(),
        customers=known.count(),
        products=products,
    )
    for frame in (liked, later, back):
        frame.unpersist()
    return found


def _build(
    spark: SparkSession, settings: Settings, deeds: DataFrame, decision: Decision, folder: Path, version: str
) -> None:
    liked = preferences(deeds).cache()
    categories = deeds.groupBy("product_id").agg(F.max("category").alias("category"))
    best = popular(liked, MOST).cache()
    rows = of_everybody(best, categories).unionByName(of_products(similar(liked, MOST), best, categories))
    if decision.publish == "personal":
        rows = rows.unionByName(of_users(personal(liked, MOST), categories))
    until = deeds.agg(F.max("event_time").alias("data_until"))
    rows = rows.crossJoin(F.broadcast(until)).select(
        "*", F.lit(version).alias("model_version"), F.lit(datetime.now(UTC)).alias("trained_at")
    )
    write(rows, Table.GOLD_RECOMMENDATIONS, settings, mode="overwrite", options={"overwriteSchema": "true"})
    table = spark.read.format("delta").load(settings.table_path(Table.GOLD_RECOMMENDATIONS))
    bodies(table).write.mode("overwrite").text(str(folder / "documents"))


def run(spark: SparkSession, settings: Settings, folder: Path, days: int = DAYS) -> dict[str, Any]:
    """Train, measure, decide, and write what may be shown.

    Args:
        spark: The session.
        settings: Says where the lake is.
        folder: For documents and result.
        days: How many days back customers' deeds count.

    Returns:
        What ``result.json`` holds.
    """
    started = time.monotonic()
    version = folder.name
    events = silver_events(spark, settings)
    deeds = None if events is None else interactions(_newest(events, days)).cache()
    if deeds is None or deeds.isEmpty():
        result: dict[str, Any] = {"publish": None, "reason": "no customer has looked at a product yet"}
    else:
        found = measured(deeds)
        decision = decide(found.personal, found.popular, published(settings))
        if decision.publish:
            _build(spark, settings, deeds, decision, folder, version)
        result = {**asdict(decision), **asdict(found)}
    result |= {"model_version": version, "seconds": round(time.monotonic() - started, 1)}
    write_atomically(folder / "result.json", json.dumps(result, indent=1))
    logger.info("recommendations %s", json.dumps(result))
    return result


def _newest(events: DataFrame, days: int) -> DataFrame:
    # Counted from the newest day there is: replayed history is old, and still all there is.
    last = events.agg(F.max("event_date")).first()[0]
    if last is None:
        return events
    first = datetime.fromordinal(last.toordinal() - days + 1).date()
    return events.where(in_days(between(first, last)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run as a Spark job."""
    parser = argparse.ArgumentParser(description="Train recommendations from silver.")
    parser.add_argument("folder", type=Path, help="for documents and result")
    parser.add_argument("--days", type=int, default=DAYS, help=f"how far back to look (default: {DAYS})")
    options = parser.parse_args(arguments)
    spark = build_session("recommendations", "batch")
    try:
        run(spark, get_settings(), options.folder, options.days)
    finally:
        spark.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main()
