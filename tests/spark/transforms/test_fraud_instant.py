from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from include.fraud.rules import FraudRules, load_rules
from spark_jobs.transforms.fraud_alerts import ALERT_FIELDS, kafka_messages
from spark_jobs.transforms.fraud_instant import instant_alerts, orders_at_a_glance, with_profiles

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDER = {
    "event_id": "event-01",
    "event_type": "order_placed",
    "event_time": NOON,
    "kafka_time": NOON,
    "user_id": "ann",
    "order_id": "order-1",
    "device_id": "phone",
    "card_id": "card",
    "total": Decimal("50.00"),
    "currency": "EUR",
    "items": [("P-1", 1)],
    "billing_country": "DE",
    "shipping_country": "DE",
}
SCHEMA = (
    "event_id string, event_type string, event_time timestamp, kafka_time timestamp, user_id string, order_id string, "
    "device_id string, card_id string, total decimal(18,2), currency string, "
    "items array<struct<product_id: string, quantity: int>>, billing_country string, shipping_country string"
)
PROFILES = [("ann", 12, "EUR", Decimal("80.00")), ("new", 1, "EUR", Decimal("80.00"))]
PROFILE_SCHEMA = "user_id string, orders long, currency string, usual_amount decimal(18,2)"


def alerts(spark: SparkSession, *changes: dict[str, Any], rules: FraudRules | None = None) -> list[tuple[str, str]]:
    return [(row["rule"], row["evidence"]) for row in alert_rows(spark, *changes, rules=rules).collect()]


def alert_rows(spark: SparkSession, *changes: dict[str, Any], rules: FraudRules | None = None) -> DataFrame:
    orders = spark.createDataFrame([tuple((ORDER | change).values()) for change in changes], SCHEMA)
    profiles = spark.createDataFrame(PROFILES, PROFILE_SCHEMA)
    return instant_alerts(with_profiles(orders, profiles), rules or load_rules())


def test_an_order_as_usual_raises_nothing(spark: SparkSession) -> None:
    assert (
        alerts(spark, {}, {"total": Decimal("319.00")}, {"event_type": "order_returned", "total": Decimal("9000.00")})
        == []
    )


def test_an_amount_far_above_the_own_profile_is_unusual(spark: SparkSession) -> None:
    assert alerts(spark, {"total": Decimal("320.01")}) == [
        ("unusual_amount", "320.01 EUR, usually up to 80.00 in 12 orders")
    ]


@pytest.mark.parametrize("change", [{"user_id": "new"}, {"user_id": "stranger"}, {"currency": "USD"}])
def test_without_a_usual_amount_only_a_very_high_one_is_unusual(spark: SparkSession, change: dict[str, Any]) -> None:
    assert alerts(spark, change | {"total": Decimal("4999.00")}) == []
    [(rule, evidence)] = alerts(spark, change | {"total": Decimal("5000.01")})
    assert rule == "unusual_amount"
    assert evidence.endswith("by a customer without a usual amount")


def test_a_hundred_pieces_of_one_product_are_absurd(spark: SparkSession) -> None:
    assert alerts(spark, {"items": [("P-1", 99), ("P-2", 99)]}) == []
    assert alerts(spark, {"items": [("P-1", 1), ("P-2", 100)]}) == [
        ("absurd_quantity", "100 pieces of one product in one order")
    ]


def test_a_high_order_to_another_country_is_mismatched_unless_they_are_neighbours(spark: SparkSession) -> None:
    high = {"total": Decimal("310.00")}
    assert alerts(spark, high | {"shipping_country": "AT"}, {"shipping_country": "BR"}) == []
    assert alerts(spark, high | {"shipping_country": "BR"}) == [("mismatched_countries", "billed in DE, sent to BR")]


def test_what_is_on_the_block_list_is_named(spark: SparkSession) -> None:
    rules = load_rules()
    blocked = rules.instant.blocked.model_copy(update={"cards": ("bad-card",), "countries": ("XX",)})
    rules = rules.model_copy(update={"instant": rules.instant.model_copy(update={"blocked": blocked})})
    found = alerts(spark, {"card_id": "bad-card", "billing_country": "XX"}, {}, rules=rules)
    assert found == [("blocked", "on the block list: card, billing country")]


def test_an_order_may_break_several_rules_and_each_alert_has_its_own_id(spark: SparkSession) -> None:
    rows = alert_rows(spark, {"total": Decimal("6000.00"), "items": [("P-1", 500)], "user_id": "stranger"}).collect()
    assert {row["rule"] for row in rows} == {"unusual_amount", "absurd_quantity"}
    assert len({row["alert_id"] for row in rows}) == 2


def test_the_same_order_seen_again_has_the_same_alert_id(spark: SparkSession) -> None:
    high = {"total": Decimal("400.00")}
    rows = alert_rows(spark, high, high | {"kafka_time": NOON.replace(hour=13)}).collect()
    assert len({row["alert_id"] for row in rows}) == 1


def test_a_rule_that_is_off_raises_nothing(spark: SparkSession) -> None:
    rules = load_rules()
    off = rules.instant.unusual_amount.model_copy(update={"enabled": False})
    rules = rules.model_copy(update={"instant": rules.instant.model_copy(update={"unusual_amount": off})})
    assert alerts(spark, {"total": Decimal("9000.00")}, rules=rules) == []


def test_an_alert_is_sent_as_json_under_its_subject(spark: SparkSession) -> None:
    [message] = kafka_messages(alert_rows(spark, {"total": Decimal("400.00")})).collect()
    assert bytes(message["key"]) == b"ann"
    text = bytes(message["value"]).decode()
    assert '"amount_minor":40000' in text
    assert '"event_time":"2026-03-01T12:00:00.000Z"' in text
    assert all(f'"{name}"' in text for name in ALERT_FIELDS)


def test_orders_are_read_from_their_bytes_at_a_glance(spark: SparkSession) -> None:
    text = (
        '{"event_id":"event-01","event_type":"order_placed","event_time":"2026-03-01T12:00:00.000Z","user_id":"ann",'
        '"order_id":"order-1","currency":"EUR","total":"50.00","items":[{"product_id":"P-1","quantity":1}],'
        '"payment":{"method":"card","card_id":"card"},"device":{"device_id":"phone","device_type":"mobile"},'
        '"billing_country":"DE","shipping_country":"DE"}'
    )
    values = [text, text.replace("order_placed", "order_returned"), "{broken", None]
    records = spark.createDataFrame(
        [(NOON, None if value is None else bytearray(value.encode())) for value in values],
        "kafka_time timestamp, value binary",
    )
    [order] = orders_at_a_glance(records).collect()
    assert order["total"] == ORDER["total"]
    assert [(item["product_id"], item["quantity"]) for item in order["items"]] == ORDER["items"]
    plain = ("event_id", "user_id", "order_id", "device_id", "card_id", "currency", "billing_country")
    assert {name: order[name] for name in plain} == {name: ORDER[name] for name in plain}
