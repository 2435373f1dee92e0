import json
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from include.names import Topic
from spark_jobs.batch import export_events
from spark_jobs.transforms.event_documents import searchable
from spark_jobs.transforms.parse import parse_events, valid_events
from tests.spark.bronze_rows import BRONZE, Record, order, visit

ALERT: dict[str, Any] = {
    "alert_id": "a" * 32,
    "rule": "order_velocity",
    "severity": "warning",
    "score": 0.7,
    "evidence": "6 orders",
    "amount_minor": 1050,
    "event_time": "2026-03-10T12:00:00.000Z",
}


def documents(spark: SparkSession, *records: Record) -> list[tuple[str, Any, Any]]:
    rows = searchable(parse_events(spark.createDataFrame([one.row() for one in records], BRONZE))).collect()
    return [(row["index"], row.action, row.source) for row in rows]


def test_orders_and_alerts_are_documents_under_their_own_ids(spark: SparkSession) -> None:
    broken = order("b", 1, total="1.5")
    alert = Record(Topic.FRAUD_ALERTS, 2, ALERT | {"unknown": 1})
    event, suspicion = documents(spark, order("a", 0, "10.50"), broken, alert)
    assert (event[0], json.loads(event[1])) == ("events", {"create": {"_id": "a_______"}})
    source = json.loads(event[2])
    assert (source["total_minor"], source["event_time"]) == (1050, "2026-03-10T12:00:00.000Z")
    assert (suspicion[0], json.loads(suspicion[1])) == ("fraud-alerts", {"create": {"_id": "a" * 32}})
    assert json.loads(suspicion[2]) == ALERT


def test_what_is_no_alert_has_no_action_and_keeps_its_bytes(spark: SparkSession) -> None:
    nonsense = Record(Topic.FRAUD_ALERTS, 0, {}, raw=b"no JSON")
    other = Record(Topic.FRAUD_ALERTS, 1, {"rule": "x"})
    assert documents(spark, nonsense, other) == [
        ("fraud-alerts", None, "no JSON"),
        ("fraud-alerts", None, '{"rule": "x"}'),
    ]


def test_a_reindex_from_silver_makes_the_same_documents(spark: SparkSession) -> None:
    records = [order("a", 0, "10.50", at=1), visit("v", 0, kind="login", at=2.25)]
    events = valid_events(parse_events(spark.createDataFrame([one.row() for one in records], BRONZE)))
    bodies = export_events.documents(events.withColumn("event_date", F.to_date("event_time"))).collect()
    exported = [json.loads(row.line.split("\n")[1]) for row in bodies]
    stamps = [(one.pop("processed_at"), one.pop("indexed_at")) for one in exported]
    assert all(processed == indexed for processed, indexed in stamps)
    assert [json.loads(source) for _, _, source in documents(spark, *records)] == exported
