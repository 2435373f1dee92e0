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
# Distinct values are counted by the bits that they set in so many words of 64. A sketch would be closer for thousands;
# for a handful this never counts too many, seldom one too few, and its state is a few numbers instead of kilobytes.
_WORDS: Final = 4


def may_be_observed() -> Column:
    """Whether a record's bytes name a type of event that the patterns look at: spares the others the judge."""
    text = F.col("value").cast("string")
    return reduce(or_, (text.contains(event_type) for event_type in _OBSERVED))


def observations(events: DataFrame, rules: FraudRules) -> DataFrame:
    """What the patterns look at: each event once for its customer and once for its device.

    Args:
        events: Conformed events with a watermark on ``event_time``.
        rules: The rules.
    """
    is_order = F.col("event_type") == "order_placed"
    is_small = is_order & (F.col("total") <= F.lit(rules.patterns.card_testing.maximum_amount))
    is_high = is_order & (F.col("total") >= F.lit(rules.patterns.account_takeover.minimum_amount))
    subjects = F.explode(
        F.array(
            F.struct(F.lit("user").alias("kind"), F.col("user_id").alias("subject")),
            F.struct(F.lit("device").alias("kind"), F.col("device_id").alias("subject")),
        )
    )
    return (
        events.where(F.col("event_type").isin(*_OBSERVED))
        .withColumn("subject", subjects)
        .select(
            F.col("subject.kind").alias("subject_kind"),
            F.col("subject.subject").alias("subject"),
            "event_time",
            "kafka_time",
            "latitude",
            "longitude",
            # By id, so that a copy of an order is no second order.
            _place(F.when(is_order, F.col("event_id"))).alias("order_place"),
            _place(F.when(is_small, F.col("card_id"))).alias("small_card_place"),
            _place(F.col("user_id")).alias("user_place"),
            F.when(F.col("event_type") == "address_changed", F.col("event_time")).alias("address_changed_at"),
            F.when(is_high, F.col("event_time")).alias("high_order_at"),
            F.when(
                is_order,
                F.struct("event_time", "event_id", "order_id", "user_id", "device_id", "card_id", "total", "currency"),
            ).alias("order"),
        )
        .where(F.col("subject").isNotNull())
    )


def window_states(observed: DataFrame, rules: FraudRules) -> DataFrame:
    """One row per customer or device and window; windows overlap by half, so that no burst hides at a border."""
    minutes = rules.patterns.window_minutes
    window = F.window("event_time", f"{minutes} minutes", f"{minutes * 30} seconds")
    return observed.groupBy("subject_kind", "subject", window.alias("window")).agg(
        _distinct("order_place").alias("orders"),
        _distinct("small_card_place").alias("small_cards"),
        _distinct("user_place").alias("users"),
        F.min("latitude").alias("south"),
        F.max("latitude").alias("north"),
        F.min("longitude").alias("west"),
        F.max("longitude").alias("east"),
        F.min("address_changed_at").alias("address_changed_at"),
        F.max("high_order_at").alias("high_order_at"),
        F.max("order").alias("order"),
        F.max("event_time").alias("event_time"),
        F.max("kafka_time").alias("kafka_time"),
    )


def _place(value: Column) -> Column:
    """The bit that a value sets, none for no value."""
    return F.when(value.isNotNull(), F.pmod(F.xxhash64(value), F.lit(_WORDS * 64)).cast("int"))


def _distinct(place: str) -> Column:
    # A shift by more than 63 begins anew at the word's first bit.
    words = (
        f"bit_or(CASE WHEN shiftright({place}, 6) = {word} THEN shiftleft(1L, {place}) ELSE 0L END)"
        for word in range(_WORDS)
    )
    return F.expr(" + ".join(f"bit_count({word})" for word in words))


def _kilometres() -> Column:
    # Diagonal of the box that holds all places: never shorter than the way between any two of them, and exact for two.
    middle = F.radians((F.col("south") + F.col("north")) / 2)
    degrees_east = F.least(F.col("east") - F.col("west"), F.lit(360.0) - (F.col("east") - F.col("west")))
    return _KM_PER_DEGREE * F.hypot(F.col("north") - F.col("south"), degrees_east * F.cos(middle))


def _hits(rules: PatternRules) -> Iterator[Column]:
    of_user = F.col("subject_kind") == "user"
    of_device = F.col("subject_kind") == "device"
    velocity, testing, sharing = rules.order_velocity, rules.card_testing, rules.device_sharing
    travel, takeover = rules.impossible_travel, rules.account_takeover
    if velocity.enabled:
        evidence = F.format_string(f"%d orders in {rules.window_minutes} minutes", "orders")
        condition = of_user & (F.col("orders") >= velocity.orders)
        yield hit(condition, "order_velocity", velocity.severity, velocity.score, evidence)
    if testing.enabled:
        evidence = F.format_string(f"%d cards with small amounts in {rules.window_minutes} minutes", "small_cards")
        condition = of_device & (F.col("small_cards") >= testing.cards)
        yield hit(condition, "card_testing", testing.severity, testing.score, evidence)
    if sharing.enabled:
        evidence = F.format_string(f"%d customers in {rules.window_minutes} minutes", "users")
        condition = of_device & (F.col("users") >= sharing.users)
        yield hit(condition, "device_sharing", sharing.severity, sharing.score, evidence)
    if travel.enabled:
        evidence = F.format_string(f"%.0f km within {rules.window_minutes} minutes", _kilometres())
        condition = of_user & (_kilometres() >= travel.kilometres)
        yield hit(condition, "impossible_travel", travel.severity, travel.score, evidence)
    if takeover.enabled:
        evidence = F.format_string("address changed, then an order of %s", F.col("order.total").cast("string"))
        condition = of_user & (F.col("address_changed_at") < F.col("high_order_at"))
        yield hit(condition, "account_takeover", takeover.severity, takeover.score, evidence)


def pattern_alerts(states: DataFrame, rules: FraudRules) -> DataFrame:
    """One row per rule that a window breaks; the same rule, subject and hour is the same alert."""
    hits = F.array_compact(F.array(*_hits(rules.patterns)))
    hour = F.date_format(F.date_trunc("hour", "window.start"), "yyyyMMddHH")
    exploded = states.withColumn("hit", F.explode(hits))
    return exploded.select(
        alert_id(F.col("hit.rule"), F.col("subject"), hour),
        "hit.rule",
        "hit.severity",
        "hit.score",
        "hit.evidence",
        "subject",
        F.when(F.col("subject_kind") == "user", F.col("subject")).otherwise(F.col("order.user_id")).alias("user_id"),
        "order.order_id",
        "order.device_id",
        "order.card_id",
        "order.event_id",
        (F.col("order.total") * 100).cast("long").alias("amount_minor"),
        "order.currency",
        "event_time",
        "kafka_time",
        F.current_timestamp().alias("processed_at"),
    ).select(*ALERT_FIELDS)
