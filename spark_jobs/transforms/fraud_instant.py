"""Fraud that one order shows by itself, or beside the customer's own profile. Stateless: fit for Real-Time Mode."""

from collections.abc import Iterator
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from include.fraud.rules import FraudRules, InstantRules
from spark_jobs.transforms.fraud_alerts import ALERT_FIELDS, alert_id, hit, now_millis

_ORDER: Final = (
    "event_id string, event_type string, event_time timestamp, user_id string, order_id string, currency string, "
    "total string, items array<struct<product_id: string, quantity: int>>, payment struct<card_id: string>, "
    "device struct<device_id: string>, billing_country string, shipping_country string"
)


def _has_usual_amount(rules: InstantRules) -> Column:
    return (F.col("profile_currency") == F.col("currency")) & (
        F.col("profile_orders") >= rules.unusual_amount.minimum_orders
    )


def _unusual_amount(rules: InstantRules) -> Column:
    rule = rules.unusual_amount
    known = F.coalesce(_has_usual_amount(rules), F.lit(False))
    above_usual = (F.col("total") > F.col("usual_amount") * F.lit(rule.times_usual)) & (
        F.col("total") >= F.lit(rule.minimum_amount)
    )
    above_any = F.col("total") > F.lit(rule.without_profile)
    evidence = F.when(
        known,
        F.format_string(
            "%s %s, usually up to %s in %s orders",
            F.col("total").cast("string"),
            "currency",
            F.col("usual_amount").cast("string"),
            F.col("profile_orders").cast("string"),
        ),
    ).otherwise(
        F.format_string("%s %s by a customer without a usual amount", F.col("total").cast("string"), "currency")
    )
    return hit(F.when(known, above_usual).otherwise(above_any), "unusual_amount", rule.severity, rule.score, evidence)


def _absurd_quantity(rules: InstantRules) -> Column:
    rule = rules.absurd_quantity
    most = F.array_max(F.transform("items", lambda item: item["quantity"]))
    evidence = F.format_string("%s pieces of one product in one order", most.cast("string"))
    return hit(most >= rule.quantity, "absurd_quantity", rule.severity, rule.score, evidence)


def _mismatched_countries(rules: InstantRules) -> Column:
    rule = rules.mismatched_countries
    countries = F.concat_ws("-", F.array_sort(F.array("billing_country", "shipping_country")))
    neighbours = ["-".join(sorted(pair)) for pair in rule.neighbours]
    differs = (F.col("billing_country") != F.col("shipping_country")) & ~countries.isin(neighbours)
    high = F.col("total") >= F.lit(rule.minimum_amount)
    evidence = F.format_string("billed in %s, sent to %s", "billing_country", "shipping_country")
    return hit(differs & high, "mismatched_countries", rule.severity, rule.score, evidence)


def _blocked(rules: InstantRules) -> Column:
    rule = rules.blocked
    reasons = F.concat_ws(
        ", ",
        F.when(F.col("card_id").isin(list(rule.cards)), "card"),
        F.when(F.col("device_id").isin(list(rule.devices)), "device"),
        F.when(F.col("shipping_country").isin(list(rule.countries)), "shipping country"),
        F.when(F.col("billing_country").isin(list(rule.countries)), "billing country"),
    )
    return hit(reasons != "", "blocked", rule.severity, rule.score, F.concat(F.lit("on the block list: "), reasons))


def _hits(rules: InstantRules) -> Iterator[Column]:
    if rules.unusual_amount.enabled:
        yield _unusual_amount(rules)
    if rules.absurd_quantity.enabled:
        yield _absurd_quantity(rules)
    if rules.mismatched_countries.enabled:
        yield _mismatched_countries(rules)
    if rules.blocked.enabled:
        yield _blocked(rules)


def orders_at_a_glance(records: DataFrame) -> DataFrame:
    """Orders as the instant rules need them, read by one `from_json`.

    Judging every detail of an event, as ``parse_events`` does, would cost most of the time that an instant rule has. An
    order that breaks its contract is refused there; an alert about it here does no harm.

    Args:
        records: Rows of the topic ``purchases`` with ``kafka_time`` and ``value``.
    """
    order = F.from_json(F.col("value").cast("string"), _ORDER)
    return (
        records.select("kafka_time", order.alias("order"))
        .select("kafka_time", "order.*")
        .where((F.col("event_type") == "order_placed") & F.col("event_id").isNotNull())
        .select(
            "event_id",
            "event_type",
            "event_time",
            "kafka_time",
            "user_id",
            "order_id",
            F.col("device.device_id").alias("device_id"),
            F.col("payment.card_id").alias("card_id"),
            F.expr("try_cast(total AS decimal(18,2))").alias("total"),
            "currency",
            "items",
            "billing_country",
            "shipping_country",
        )
    )


def with_profiles(orders: DataFrame, profiles: DataFrame) -> DataFrame:
    """Each order beside its customer's profile; the profiles are small enough to be sent to every executor.

    Args:
        orders: Conformed events.
        profiles: ``user_id``, ``orders``, ``currency``, ``usual_amount`` (95th percentile of the customer's totals).
    """
    known = profiles.select(
        "user_id",
        F.col("orders").alias("profile_orders"),
        F.col("currency").alias("profile_currency"),
        "usual_amount",
    )
    return orders.join(F.broadcast(known), "user_id", "left")


def instant_alerts(orders: DataFrame, rules: FraudRules) -> DataFrame:
    """One row per order and rule that it breaks.

    Args:
        orders: Conformed events with the columns of ``with_profiles``.
        rules: The rules; those that are off give nothing.
    """
    hits = F.array_compact(F.array(*_hits(rules.instant)))
    placed = orders.where(F.col("event_type") == "order_placed")
    exploded = placed.withColumn("hit", F.explode(hits))
    return exploded.select(
        alert_id(F.col("hit.rule"), F.col("event_id")),
        "hit.rule",
        "hit.severity",
        "hit.score",
        "hit.evidence",
        F.col("user_id").alias("subject"),
        "user_id",
        "order_id",
        "device_id",
        "card_id",
        "event_id",
        (F.col("total") * 100).cast("long").alias("amount_minor"),
        "currency",
        "event_time",
        "kafka_time",
        now_millis().alias("processed_at"),
    ).select(*ALERT_FIELDS)
