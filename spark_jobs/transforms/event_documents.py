"""What Elasticsearch holds of events and of suspicions: the same documents from Kafka and from silver."""

from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from include.names import Alias, Topic
from spark_jobs.schemas import conformed_columns
from spark_jobs.transforms.fraud_alerts import ALERT_FIELDS

_TIME: Final = "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"
_MONEY: Final = "decimal"
# Times stay the texts that they are: Elasticsearch reads them, and refuses what is none.
_ALERT_TYPES: Final = {"score": "double", "amount_minor": "bigint"}
_ALERT_SCHEMA: Final = ", ".join(f"{name} {_ALERT_TYPES.get(name, 'string')}" for name in ALERT_FIELDS)


def event_fields(prefix: str = "") -> list[Column]:
    """Fields of an event's document, but for the times at which it was processed and indexed.

    Args:
        prefix: What stands before the names of the event's own columns, for example ``event.``.
    """
    record = [F.col(name) for name in ("topic", "partition", "offset")] + [_time("kafka_time").alias("kafka_time")]
    return record + [_field(column.name, column.spark_type, prefix) for column in conformed_columns()]


def stamp() -> Column:
    """The present moment, as documents hold times."""
    return _time(F.current_timestamp())


def searchable(parsed: DataFrame) -> DataFrame:
    """Documents of a micro-batch.

    Args:
        parsed: What ``parse_events`` gives of records of raw topics and of ``fraud-alerts``.

    Returns:
        ``index``, and ``action`` and ``source`` as JSON. ``action`` is null for what is no alert, which then is all
        of ``source``; refused events are left out. An id that is there already is kept as it is: the first copy of
        an event is the event.
    """
    is_alert = F.col("topic") == Topic.FRAUD_ALERTS.value
    text = F.coalesce(F.col("value").cast("string"), F.lit(""))
    parsed = parsed.withColumn("_alert", F.when(is_alert, F.from_json(text, _ALERT_SCHEMA)))
    document_id = F.when(is_alert, F.col("_alert.alert_id")).otherwise(F.col("event.event_id"))
    action = F.to_json(F.struct(F.struct(document_id.alias("_id")).alias("create")))
    event = F.to_json(F.struct(*event_fields("event.")))
    source = F.when(~is_alert, event).when(F.col("_alert.alert_id").isNotNull(), F.to_json("_alert")).otherwise(text)
    return parsed.where(is_alert | F.col("event").isNotNull()).select(
        F.when(is_alert, Alias.FRAUD_ALERTS.value).otherwise(Alias.EVENTS.value).alias("index"),
        F.when(document_id.isNotNull(), action).alias("action"),
        source.alias("source"),
    )


def _field(name: str, kind: str, prefix: str) -> Column:
    """A column as the index has it: money in cents under another name, times as text."""
    column = F.col(f"{prefix}{name}")
    if kind.startswith(_MONEY):
        return _minor(column).alias(f"{name}_minor")
    if kind == "timestamp":
        return _time(column).alias(name)
    if kind.startswith("array"):
        return F.transform(column, _line).alias(name)
    return column.alias(name)


def _line(line: Column) -> Column:
    return F.struct(
        line["product_id"].alias("product_id"),
        line["category"].alias("category"),
        line["quantity"].alias("quantity"),
        _minor(line["unit_price"]).alias("unit_price_minor"),
        _minor(line["amount"]).alias("amount_minor"),
    )


def _minor(amount: Column) -> Column:
    return (amount * 100).cast("long")


def _time(column: Column | str) -> Column:
    return F.date_format(column, _TIME)
