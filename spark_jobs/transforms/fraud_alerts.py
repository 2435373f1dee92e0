"""What a fraud alert looks like, whichever rule raised it."""

from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

ALERT_FIELDS: Final = (
    "alert_id",
    "rule",
    "severity",
    "score",
    "evidence",
    "subject",
    "user_id",
    "order_id",
    "device_id",
    "card_id",
    "event_id",
    "amount_minor",
    "currency",
    "event_time",
    "kafka_time",
    "processed_at",
)


def alert_id(rule: Column, *parts: Column) -> Column:
    """The alert's id: equal findings have equal ids, so that a replay or a second look adds none."""
    return F.sha2(F.concat_ws("|", rule, *parts), 256).substr(1, 32).alias("alert_id")


def hit(condition: Column, rule: str, severity: str, score: float, evidence: Column) -> Column:
    """A finding where the condition holds, null where it does not or cannot be told."""
    finding = F.struct(
        F.lit(rule).alias("rule"),
        F.lit(severity).alias("severity"),
        F.lit(score).alias("score"),
        evidence.alias("evidence"),
    )
    return F.when(condition, finding)


def now_millis() -> Column:
    """The clock at this row: in Real-Time Mode ``current_timestamp`` stands still for the whole batch."""
    return F.timestamp_millis(F.reflect(F.lit("java.lang.System"), F.lit("currentTimeMillis")).cast("long"))


def kafka_messages(alerts: DataFrame) -> DataFrame:
    """Alerts as records of the topic ``fraud-alerts``: key is the subject, value is JSON."""
    times = {
        name: F.date_format(name, "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").alias(name)
        for name in ("event_time", "kafka_time", "processed_at")
    }
    value = F.to_json(F.struct(*(times.get(name, F.col(name)) for name in ALERT_FIELDS)))
    return alerts.select(F.col("subject").cast("binary").alias("key"), value.cast("binary").alias("value"))
