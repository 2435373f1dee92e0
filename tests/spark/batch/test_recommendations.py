import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from include.config import Settings
from include.names import Table
from include.recommendations.decision import decide
from include.recommendations.records import published, remember
from include.serving.documents import documents_in
from include.simulator.options import SimulationOptions
from include.simulator.shop import Shop
from spark_jobs.batch import recommendations, silver
from spark_jobs.io import read
from spark_jobs.transforms.interactions import interactions, preferences
from spark_jobs.transforms.ranking_quality import measure
from spark_jobs.transforms.similarity import popular, similar
from tests.spark.bronze_rows import archive, lake_in, order

START = datetime(2026, 3, 2, tzinfo=UTC)
EVENTS = (
    "user_id string, event_type string, event_time timestamp, product_id string, category string, "
    "items array<struct<product_id:string,category:string>>"
)
LIKED = "user_id string, product_id string, strength double"


def liked(spark: SparkSession, *rows: tuple[str, str, float]) -> DataFrame:
    return spark.createDataFrame(rows, LIKED)


def test_an_order_says_more_than_a_cart_and_a_cart_more_than_a_look(spark: SparkSession) -> None:
    rows = [
        ("ann", "product_view", START, "mug", "kitchen", None),
        ("ann", "add_to_cart", START, "mug", "kitchen", None),
        ("ann", "order_placed", START, None, None, [("mug", "kitchen"), ("pen", "office")]),
        ("bob", "search", START, None, None, None),
        (None, "product_view", START, "mug", "kitchen", None),
    ]
    deeds = interactions(spark.createDataFrame(rows, EVENTS))
    found = {(row["user_id"], row["product_id"]): row["strength"] for row in preferences(deeds).collect()}
    assert found == {("ann", "mug"): 9.0, ("ann", "pen"): 5.0}
    assert {row["category"] for row in deeds.collect()} == {"kitchen", "office"}


def test_who_does_a_thing_very_often_does_not_decide(spark: SparkSession) -> None:
    rows = [("ann", "order_placed", START, None, None, [("mug", "kitchen")])] * 30
    assert preferences(interactions(spark.createDataFrame(rows, EVENTS))).collect()[0]["strength"] == 20.0


def test_similar_products_have_the_same_customers_and_popular_ones_the_most(spark: SparkSession) -> None:
    both = [(user, product, 1.0) for user in ("ann", "bob") for product in ("mug", "cup")]
    rows = liked(spark, *both, ("cat", "pen", 1.0), ("cat", "mug", 1.0))
    pairs = {(row["product_id"], row["other_id"]): round(row["score"], 4) for row in similar(rows, 5).collect()}
    # Two of three customers of mug are all of cup's; one common customer alone says nothing.
    assert pairs == {("mug", "cup"): 0.8165, ("cup", "mug"): 0.8165}
    best = popular(rows, 2).orderBy("place").collect()
    assert [(row["product_id"], round(row["score"], 3), row["place"]) for row in best] == [
        ("mug", 1.0, 1),
        ("cup", 0.667, 2),
    ]


def test_figures_count_what_came_among_the_first_ten(spark: SparkSession) -> None:
    shown = spark.createDataFrame(
        [("ann", "mug", 1), ("ann", "pen", 2), ("bob", "mug", 1), ("bob", "cup", 11)],
        "user_id string, product_id string, place int",
    )
    later = liked(spark, ("ann", "mug", 1.0), ("ann", "cup", 1.0), ("bob", "cup", 1.0)).select("user_id", "product_id")
    assert asdict(measure(shown, later, 4)) == {"customers": 2, "recall": 0.25, "hit_rate": 0.5, "coverage": 0.5}


@pytest.fixture(scope="module")
def shop(spark: SparkSession) -> DataFrame:
    """What customers of the simulated shop did with products in ten minutes of 200 events a second."""
    rows = []
    for event in Shop(SimulationOptions(int(START.timestamp() * 1000), rate=200, duration=600)).events():
        if event.event_type in ("product_view", "add_to_cart", "order_placed"):
            body = json.loads(event.value)
            items = [(line["product_id"], line["category"]) for line in body.get("items", ())] or None
            moment = datetime.fromisoformat(body["event_time"])
            one = (body.get("product_id"), body.get("category"))
            rows.append((body["user_id"], event.event_type, moment, *one, items))
    return interactions(spark.createDataFrame(rows, EVENTS)).cache()


def test_the_model_beats_popularity_clearly_in_the_simulated_shop(shop: DataFrame) -> None:
    found = recommendations.measured(shop)
    assert found.personal.customers > 1_000
    assert found.personal.recall > 1.5 * found.popular.recall, found
    assert found.personal.hit_rate > found.popular.hit_rate
    assert found.personal.coverage > found.popular.coverage
    assert decide(found.personal, found.popular, None).publish == "personal"


def _trained(spark: SparkSession, lake: Settings, name: str) -> dict[str, object]:
    return recommendations.run(spark, lake, lake.platform_data_dir / "recommendations" / name)


def test_few_customers_get_what_most_like_and_a_shown_model_stays(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path)
    assert _trained(spark, lake, "1")["reason"] == "no customer has looked at a product yet"
    pen = [{"product_id": "pen", "category": "office", "quantity": 1, "amount": "10.00"}]
    archive(
        spark,
        lake,
        [
            order("a", 0),
            order("b", 1, user_id="bob"),
            order("c", 2, items=pen),
            order("d", 3, items=pen, user_id="bob"),
        ],
    )
    silver.run(spark, lake)

    result = _trained(spark, lake, "2")
    documents = {one.id: one.source for one in documents_in(tmp_path / "recommendations" / "2" / "documents")}
    assert (result["publish"], result["customers"]) == ("popular", 2)
    assert sorted(documents) == ["everybody", "product:mug", "product:pen"]
    assert documents["product:mug"]["items"] == [
        {"product_id": "pen", "category": "office", "score": 1.0, "reason": "similar"}
    ]
    assert [item["product_id"] for item in documents["everybody"]["items"]] == ["mug", "pen"]
    assert documents["everybody"]["model_version"] == "2"

    remember(lake, {**result, "publish": "personal"})
    assert published(lake)["model_version"] == "2"
    assert _trained(spark, lake, "3")["publish"] is None
    kept = read(spark, Table.GOLD_RECOMMENDATIONS, lake).select("model_version").distinct().collect()
    assert [row[0] for row in kept] == ["2"]


def test_everybody_gets_a_list_of_their_own_when_the_model_is_good(
    spark: SparkSession, shop: DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = lake_in(tmp_path)
    few = shop.where(F.col("user_id") < "u-0000100")
    monkeypatch.setattr(recommendations, "MOST", 12)
    verdict = decide(recommendations.Quality(100, 0.3), recommendations.Quality(100, 0.1), None)
    recommendations._build(spark, lake, few, verdict, tmp_path / "out", "7")
    rows = read(spark, Table.GOLD_RECOMMENDATIONS, lake)
    assert {row["subject_kind"] for row in rows.select("subject_kind").distinct().collect()} == {
        "user",
        "product",
        "everybody",
    }
    assert rows.where("subject_kind = 'user'").count() == few.select("user_id").distinct().count()
    assert rows.where("size(items) <> 12").count() == 0
    assert rows.where("exists(items, one -> one.product_id = subject_id)").count() == 0
    assert len(list(documents_in(tmp_path / "out" / "documents"))) == rows.count()
