from datetime import UTC, datetime
from decimal import Decimal

from pyspark.sql import Row, SparkSession

from spark_jobs.transforms.profiles import PROFILE_SCHEMA, customer_profiles

SCHEMA = (
    "user_id string, event_type string, order_id string, currency string, total decimal(18,2), event_time timestamp, "
    "device_id string, card_id string, shipping_country string"
)


def profiles(spark: SparkSession, *orders: tuple[object, ...]) -> dict[str, Row]:
    frame = spark.createDataFrame(list(orders), SCHEMA)
    return {row["user_id"]: row for row in customer_profiles(frame).collect()}


def order(number: int, user: str, total: str, currency: str = "EUR", kind: str = "order_placed") -> tuple[object, ...]:
    moment = datetime(2026, 3, number, tzinfo=UTC)
    return (user, kind, f"order-{number}", currency, Decimal(total), moment, f"device-{number % 2}", "card", "DE")


def test_a_profile_says_how_often_how_much_and_with_what(spark: SparkSession) -> None:
    found = profiles(spark, order(1, "ann", "10.00"), order(2, "ann", "30.00"), order(3, "ann", "20.00"))["ann"]
    assert (found["orders"], found["revenue"], found["mean_amount"]) == (3, Decimal("60.00"), Decimal("20.00"))
    assert found["usual_amount"] == Decimal("30.00")
    assert (found["devices"], found["cards"], found["countries"]) == (["device-0", "device-1"], ["card"], ["DE"])
    assert (found["first_order"].day, found["last_order"].day) == (1, 3)


def test_what_was_sent_back_is_no_order(spark: SparkSession) -> None:
    assert profiles(spark, order(1, "ann", "10.00", kind="order_returned")) == {}


def test_amounts_are_those_of_the_currency_used_most(spark: SparkSession) -> None:
    orders = [order(1, "ann", "10.00"), order(2, "ann", "12.00"), order(3, "ann", "900.00", "JPY")]
    found = profiles(spark, *orders)["ann"]
    assert (found["currency"], found["orders"], found["usual_amount"]) == ("EUR", 2, Decimal("12.00"))


def test_the_empty_table_has_the_columns_of_a_full_one(spark: SparkSession) -> None:
    full = customer_profiles(spark.createDataFrame([order(1, "ann", "10.00")], SCHEMA))
    empty = spark.createDataFrame([], PROFILE_SCHEMA)
    assert [(field.name, field.dataType.simpleString()) for field in full.schema] == [
        (field.name, field.dataType.simpleString()) for field in empty.schema
    ]
