from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from include.errors import ConfigurationError
from include.names import Table
from include.quality.frame import Lookup, bounded, prepared
from include.quality.runner import run_suite
from include.quality.suite import Rule, Severity, Suite, load_suite

# Great Expectations imports modules that Python 3.11 calls deprecated.
pytestmark = [
    pytest.mark.filterwarnings("ignore:module 'sre_constants' is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:module 'sre_parse' is deprecated:DeprecationWarning"),
]

SCHEMA = """
    topic string, partition int, offset long, kafka_time timestamp, event_date date, bronze_version long,
    event_id string, event_type string, event_time timestamp, schema_version int, order_id string, user_id string,
    session_id string, items array<struct<product_id:string,category:string,quantity:int,unit_price:decimal(18,2),
    amount:decimal(18,2)>>, currency string, discount decimal(18,2), tax decimal(18,2), shipping decimal(18,2),
    total decimal(18,2), payment_method string, card_id string, shipping_country string, billing_country string,
    device_id string, device_type string, latitude double, longitude double, country string
"""
START = datetime(2026, 11, 24, 12, tzinfo=UTC)


def _order(number: int, **changes: Any) -> dict[str, Any]:
    time = START + timedelta(minutes=number)
    order = {
        "topic": "purchases",
        "partition": 0,
        "offset": number,
        "kafka_time": time,
        "event_date": time.date(),
        "bronze_version": 1,
        "event_id": f"event-{number:04}",
        "event_type": "order_placed",
        "event_time": time,
        "schema_version": 1,
        "order_id": f"order-{number}",
        "user_id": f"user-{number}",
        "items": [("p-1", "books", 2, Decimal("5.00"), Decimal("10.00")), ("p-2", "toys", 1, None, Decimal("4.50"))],
        "currency": "EUR",
        "discount": Decimal("1.00"),
        "tax": Decimal("2.00"),
        "total": Decimal("15.50"),
        "payment_method": "card",
        "shipping_country": "DE",
        "billing_country": "DE",
        "device_id": "device-1",
        "device_type": "mobile",
        "country": "DE",
    }
    return {**order, **changes}


def _purchases(spark: SparkSession, *last: dict[str, Any]) -> DataFrame:
    rows = [_order(number) for number in range(20 - len(last))]
    names = [field.name for field in spark.createDataFrame([], SCHEMA).schema]
    return spark.createDataFrame([tuple(row.get(name) for name in names) for row in [*rows, *last]], SCHEMA)


def _lookup(purchases: DataFrame) -> Lookup:
    """A lake in which only purchases were ever written."""
    return lambda table: purchases if table is Table.SILVER_PURCHASES else None


def _failed(spark: SparkSession, tmp_path: Path, *last: dict[str, Any]) -> dict[str, tuple[Severity, str]]:
    suite = load_suite(Table.SILVER_PURCHASES)
    rows = _purchases(spark, *last)
    failures = run_suite(prepared(rows, suite, _lookup(rows)), suite, tmp_path / "page.html")
    return {failure.expectation: (failure.severity, failure.observed) for failure in failures}


def test_twenty_orders_that_are_right_keep_every_promise_and_have_a_page(spark: SparkSession, tmp_path: Path) -> None:
    suite = load_suite(Table.SILVER_PURCHASES)
    rows = _purchases(spark, _order(19, event_type="order_returned", order_id="order-3"))

    page = tmp_path / "docs" / "page.html"
    failures = run_suite(prepared(rows, suite, _lookup(rows)), suite, page)

    assert failures == []
    assert "silver.purchases" in page.read_text(encoding="utf-8")


def test_an_order_whose_money_does_not_add_up_fails_critically_with_the_gap(
    spark: SparkSession, tmp_path: Path
) -> None:
    failed = _failed(spark, tmp_path, _order(19, total=Decimal("15.51")))

    assert failed == {"column_values_to_be_between(money_gap)": (Severity.CRITICAL, "1 of 20 rows, for example 0.01")}


def test_the_same_event_twice_in_a_day_fails_critically(spark: SparkSession, tmp_path: Path) -> None:
    failed = _failed(spark, tmp_path, _order(19, event_id="event-0003"))

    assert failed["compound_columns_to_be_unique(event_id, event_date)"][0] is Severity.CRITICAL
    assert failed["column_values_to_be_unique(event_id)"][0] is Severity.WARNING


def test_values_about_a_person_are_counted_but_never_shown(spark: SparkSession, tmp_path: Path) -> None:
    failed = _failed(spark, tmp_path, _order(19, user_id="Jane Doe, Main Street"))

    assert failed == {"column_values_to_match_regex(user_id)": (Severity.CRITICAL, "1 of 20 rows")}
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "user_id" in page
    assert "Jane Doe" not in page


def test_returns_of_unknown_orders_are_a_warning(spark: SparkSession, tmp_path: Path) -> None:
    failed = _failed(spark, tmp_path, _order(19, event_type="order_returned", order_id="never-placed"))

    assert list(failed) == ["column_values_to_be_in_set(return_has_its_order)"]
    assert failed["column_values_to_be_in_set(return_has_its_order)"][0] is Severity.WARNING


def test_an_expectation_that_cannot_be_evaluated_is_the_suites_fault(spark: SparkSession, tmp_path: Path) -> None:
    rule = Rule(type="expect_column_values_to_match_regex", kwargs={"column": "event_id", "regex": "("})
    suite = Suite(table=Table.SILVER_PURCHASES, about="broken", rules=(rule,))
    rows = _purchases(spark)

    with pytest.raises(ConfigurationError, match=r"silver\.purchases\.json: .*match_regex.* cannot be evaluated"):
        run_suite(prepared(rows, suite, lambda _: None), suite, tmp_path / "page.html")


def test_a_large_table_is_sampled_and_says_so(spark: SparkSession) -> None:
    small, count, sampled = bounded(spark.range(20), 20)
    assert (small.count(), count, sampled) == (20, 20, False)

    large, count, sampled = bounded(spark.range(10_000), 1_000)
    assert (count, sampled) == (10_000, True)
    assert 800 < large.count() < 1_200
