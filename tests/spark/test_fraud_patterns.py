from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from pyspark.sql import SparkSession

from include.fraud.rules import load_rules
from spark_jobs.transforms.fraud_patterns import observations, pattern_alerts, window_states

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVENT = {
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
    "latitude": 52.5,
    "longitude": 13.4,
}
SCHEMA = (
    "event_id string, event_type string, event_time timestamp, kafka_time timestamp, user_id string, order_id string, "
    "device_id string, card_id string, total decimal(18,2), currency string, latitude double, longitude double"
)


def at(minutes: float, **change: Any) -> dict[str, Any]:
    moment = NOON + timedelta(minutes=minutes)
    return EVENT | {"event_time": moment, "kafka_time": moment, "event_id": f"event-{minutes}"} | change


def alerts(spark: SparkSession, *events: dict[str, Any]) -> set[tuple[str, str, str]]:
    rules = load_rules()
    frame = spark.createDataFrame([tuple(event.values()) for event in events], SCHEMA)
    found = pattern_alerts(window_states(observations(frame, rules), rules), rules)
    return {(row["rule"], row["subject"], row["evidence"]) for row in found.collect()}


def test_a_day_as_usual_raises_nothing(spark: SparkSession) -> None:
    assert alerts(spark, at(0), at(8, event_type="login"), at(300)) == set()


def test_six_orders_of_one_customer_in_ten_minutes_are_too_fast(spark: SparkSession) -> None:
    assert alerts(spark, *(at(minute) for minute in range(5))) == set()
    found = alerts(spark, *(at(minute) for minute in range(6)))
    assert found == {("order_velocity", "ann", "6 orders in 10 minutes")}


def test_a_burst_across_the_border_of_a_window_is_seen(spark: SparkSession) -> None:
    found = alerts(spark, *(at(8 + minute / 2) for minute in range(6)))
    assert ("order_velocity", "ann", "6 orders in 10 minutes") in found


def test_four_cards_with_small_amounts_on_one_device_are_card_testing(spark: SparkSession) -> None:
    tries = [at(n, card_id=f"card-{n}", total=Decimal("1.00")) for n in range(4)]
    assert alerts(spark, *tries) == {("card_testing", "phone", "4 cards with small amounts in 10 minutes")}
    assert alerts(spark, *(event | {"total": Decimal("10.01")} for event in tries)) == set()


def test_four_customers_on_one_device_share_it(spark: SparkSession) -> None:
    logins = [at(n, event_type="login", user_id=f"user-{n}", total=None) for n in range(4)]
    assert alerts(spark, *logins) == {("device_sharing", "phone", "4 customers in 10 minutes")}


def test_a_customer_in_two_far_places_within_minutes_travels_impossibly(spark: SparkSession) -> None:
    tokyo = at(5, event_type="login", latitude=35.7, longitude=139.7, total=None)
    [(rule, subject, evidence)] = alerts(spark, at(0), tokyo)
    assert (rule, subject) == ("impossible_travel", "ann")
    assert 8_000 < float(evidence.split()[0]) < 12_000


def test_the_date_line_is_no_distance(spark: SparkSession) -> None:
    assert alerts(spark, at(0, latitude=-17.0, longitude=179.9), at(5, latitude=-17.0, longitude=-179.9)) == set()


def test_a_high_order_after_a_changed_address_is_a_takeover(spark: SparkSession) -> None:
    change = at(0, event_type="address_changed", total=None)
    order = at(3, total=Decimal("900.00"))
    assert alerts(spark, change, order) == {("account_takeover", "ann", "address changed, then an order of 900.00")}
    assert alerts(spark, at(4, event_type="address_changed", total=None), order) == set()
    assert alerts(spark, change, at(3, total=Decimal("30.00"))) == set()
