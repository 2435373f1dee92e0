import json
from pathlib import Path

from pyspark.sql import SparkSession

from include.serving.documents import documents_in
from spark_jobs.batch import export_events
from tests.spark.bronze_rows import archive, lake_in, order, visit

DAY = 86_400


def test_every_event_of_silver_is_a_document_with_money_in_cents(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path / "lake")
    first = order("a", 0, "10.50")
    archive(spark, lake, [first, first.again(1, at=5), order("a", 2, happened=-DAY, at=6), visit("v", 0, at=1.25)])
    result = export_events.export(spark, lake, tmp_path / "out")
    found = {document.id: document.source for document in documents_in(tmp_path / "out")}
    assert result == json.loads((tmp_path / "out" / "result.json").read_text())
    assert result == {"documents": 2, "end_offsets": {"purchases": {"0": 3}, "user-events": {"0": 1}}}
    assert sorted(found) == ["a_______", "v_______"]
    assert (found["a_______"]["offset"], found["a_______"]["total_minor"]) == (0, 1050)
    assert found["a_______"]["items"] == [
        {"product_id": "mug", "category": "kitchen", "quantity": 1, "amount_minor": 1050}
    ]
    assert found["v_______"]["kafka_time"] == "2026-03-10T12:00:01.250Z"


def test_only_the_days_asked_for_are_exported(spark: SparkSession, tmp_path: Path) -> None:
    lake = lake_in(tmp_path / "lake")
    archive(spark, lake, [order("a", 0), order("b", 1, happened=-DAY)])
    assert export_events.export(spark, lake, tmp_path / "out", ["2026-03-09"])["documents"] == 1
    assert [document.id for document in documents_in(tmp_path / "out")] == ["b_______"]
