"""Fraud that only shows over time: what one customer or one device does within a window of event time."""

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from include.fraud.rules import FraudRules, PatternRules
from spark_jobs.transforms.fraud_alerts import ALERT_FIELDS, alert_id, hit

_OBSERVED: Final = ("order_placed", "address_changed", "login", "session_start")
# Kilometres between two degrees of latitude, and of longitude at the equator.
_KM_PER_DEGREE: Final = 111.2
# What an alert says of the event that completed the pattern.
_DESCRIBED: Final = (
    "event_id",
    "event_time",
    "kafka_time",
    "user_id",
    "device_id",
    "order_id",
    "card_id",
    "total",
    "currency",
)
# Of the conformed event.
OBSERVED_COLUMNS: Final = (*_DESCRIBED, "event_type", "latitude", "longitude")


def may_be_observed() -> Column:
    """Whether a record's bytes name a type of event that the patterns look at: spares the others the judge."""
    text = F.col("value").cast("string")
    return reduce(or_, (text.contains(event_type) for event_type in _OBSERVED))


def observations(events: DataFrame, rules: FraudRules) -> DataFrame:
    """What the patterns look at, with what of it counts.

    Args:
        events: Conformed events.
        rules: The rules.
    """
    is_order = F.col("event_type") == "order_placed"
    is_small = is_order & (F.col("total") <= F.lit(rules.patterns.card_testing.maximum_amount))
    is_high = is_order & (F.col("total") >= F.lit(rules.patterns.account_takeover.minimum_amount))
    return events.where(F.col("event_type").isin(*_OBSERVED)).select(
        *_DESCRIBED,
        "latitude",
        "longitude",
        # By id, so that a copy of an order is no second order.
        F.when(is_order, F.col("event_id")).alias("counted_order"),
        F.when(is_small, F.col("card_id")).alias("small_card"),
        (F.col("event_type") == "address_changed").alias("address_changed"),
        is_high.alias("high_order"),
    )


def _kilometres() -> Column:
    # Diagonal of the box that holds all places: never shorter than the way between any two of them, and exact for two.
    south, north, west, east = (F.col(f"window.{side}") for side in ("south", "north", "west", "east"))
    degrees_east = F.least(east - west, F.lit(360.0) - (east - west))
    return _KM_PER_DEGREE * F.hypot(north - south, degrees_east * F.cos(F.radians((south + north) / 2)))


def _hits(rules: PatternRules) -> Iterator[Column]:
    of_user = F.col("subject_kind") == "user"
    of_device = F.col("subject_kind") == "device"
    velocity, testing, sharing = rules.order_velocity, rules.card_testing, rules.device_sharing
    travel, takeover = rules.impossible_travel, rules.account_takeover
    if velocity.enabled:
        evidence = F.format_string(f"%d orders in {rules.window_minutes} minutes", "window.orders")
        condition = of_user & (F.col("window.orders") >= velocity.orders)
        yield hit(condition, "order_velocity", velocity.severity, velocity.score, evidence)
    if testing.enabled:
        evidence = F.format_string(
            f"%d cards with small amounts in {rules.window_minutes} minutes", "window.small_cards"
        )
        condition = of_device & (F.col("window.small_cards") >= testing.cards)
        yield hit(condition, "card_testing", testing.severity, testing.score, evidence)
    if sharing.enabled:
        evidence = F.format_string(f"%d customers in {rules.window_minutes} minutes", "window.users")
        condition = of_device & (F.col("window.users") >= sharing.users)
        yield hit(condition, "device_sharing", sharing.severity, sharing.score, evidence)
    if travel.enabled:
        evidence = F.format_string(f"%.0f km within {rules.window_minutes} minutes", _kilometres())
        condition = of_user & (_kilometres() >= travel.kilometres)
        yield hit(condition, "impossible_travel", travel.severity, travel.score, evidence)
    if takeover.enabled:
        # The change of the address may arrive after the order.
        amount = F.coalesce(F.col("event.total").cast("string"), F.lit(f"{takeover.minimum_amount} or more"))
        evidence = F.format_string("address changed, then an order of %s", amount)
        condition = of_user & (F.col("window.address_changed_at") < F.col("window.high_order_at"))
        yield hit(condition, "account_takeover", takeover.severity, takeover.score, evidence)


def pattern_alerts(windows: DataFrame, rules: FraudRules) -> DataFrame:
    """One row per rule that a window breaks; the same rule, subject and hour is the same alert.

    Args:
        windows: What ``spark_jobs.streaming.trails`` found: ``subject_kind``, ``subject``, the figures of the
            ``window``, and the observed ``event`` with which it ended.
        rules: The rules.
    """
    hits = F.array_compact(F.array(*_hits(rules.patterns)))
    hour = F.date_format(F.date_trunc("hour", "window.started_at"), "yyyyMMddHH")
    exploded = windows.withColumn("hit", F.explode(hits))
    return exploded.select(
        alert_id(F.col("hit.rule"), F.col("subject"), hour),
        "hit.rule",
        "hit.severity",
        "hit.score",
        "hit.evidence",
        "subject",
        *(f"event.{name}" for name in _DESCRIBED if name != "total"),
        (F.col("event.total") * 100).cast("long").alias("amount_minor"),
        F.current_timestamp().alias("processed_at"),
    ).select(*ALERT_FIELDS)
