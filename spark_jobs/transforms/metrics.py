"""The additive metrics that both layers share: counts and money by window, dimension and currency."""

from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

MONEY: Final = "decimal(18,2)"
GROUP: Final = ("window_start", "dimension", "value", "currency")
MEASURES: Final = (
    "events",
    "orders",
    "items",
    "revenue",
    "returns",
    "refunded",
    "sessions",
    "carts",
    "checkouts",
)

_ENTRY: Final = (
    "named_struct('dimension', {dimension}, 'value', {value}, 'quantity', {quantity}, 'amount', {amount}, "
    "'counts', {counts})"
)
_ORDER: Final = {"quantity": "_quantity", "amount": "total", "counts": "1"}
# Dimension -> column of the event. An order has products and categories in its lines instead.
_EVENT_DIMENSIONS: Final = {
    "event_type": "event_type",
    "country": "country",
    "device": "device_type",
    "product": "product_id",
    "category": "category",
}
_LINE_DIMENSIONS: Final = {"product": "product_id", "category": "category"}
_PLACED: Final = "event_type = 'order_placed'"
_RETURNED: Final = "event_type = 'order_returned'"


def additive_metrics(events: DataFrame, window_seconds: int) -> DataFrame:
    """Sum conformed, de-duplicated events; rows of several calls may be added up.

    Args:
        events: Conformed events.
        window_seconds: Length of the windows of event time, which start at multiples of it in UTC.

    Returns:
        One row for each window, dimension, value and currency that occurs, with the measures of the architecture.
    """
    start = f"timestamp_seconds(floor(unix_seconds(event_time) / {window_seconds}) * {window_seconds})"
    entries = (
        events.withColumn(
            "_quantity", F.expr("aggregate(transform(items, x -> CAST(x.quantity AS bigint)), 0L, (sum, n) -> sum + n)")
        )
        .select(
            "event_type",
            F.expr(start).alias("window_start"),
            F.expr(f"CASE WHEN {_PLACED} OR {_RETURNED} THEN currency END").alias("currency"),
            F.expr(f"inline({_entries()})"),
        )
        .where("value IS NOT NULL")
    )
    return entries.groupBy(*GROUP).agg(*_measures()).select(*GROUP, *MEASURES)


def _entries() -> str:
    whole = [_ENTRY.format(dimension="'all'", value="'all'", **_ORDER)]
    whole += [_ENTRY.format(dimension=f"'{name}'", value=col, **_ORDER) for name, col in _EVENT_DIMENSIONS.items()]
    lines = ", ".join(_lines(name, col) for name, col in _LINE_DIMENSIONS.items())
    whole_entries = f"array({', '.join(whole)})"
    return f"CASE WHEN items IS NULL THEN {whole_entries} ELSE concat({whole_entries}, {lines}) END"


def _lines(dimension: str, field: str) -> str:
    # An order counts once for each distinct value: at the first line that has it.
    entry = _ENTRY.format(
        dimension=f"'{dimension}'",
        value=f"x.{field}",
        quantity="CAST(x.quantity AS bigint)",
        amount="x.amount",
        counts=f"CASE WHEN array_position(items.{field}, x.{field}) = i + 1 THEN 1 ELSE 0 END",
    )
    return f"transform(items, (x, i) -> {entry})"


def _measures() -> list[Column]:
    def count(condition: str) -> Column:
        return F.expr(f"sum(CASE WHEN {condition} THEN counts ELSE 0 END)")

    def total(column: str, condition: str, zero: str) -> Column:
        return F.expr(f"sum(CASE WHEN {condition} THEN {column} ELSE {zero} END)")

    no_money = f"CAST(0 AS {MONEY})"
    return [
        F.expr("sum(counts)").alias("events"),
        count(_PLACED).alias("orders"),
        total("quantity", _PLACED, "0L").alias("items"),
        total("amount", _PLACED, no_money).cast(MONEY).alias("revenue"),
        count(_RETURNED).alias("returns"),
        total("amount", _RETURNED, no_money).cast(MONEY).alias("refunded"),
        count("event_type = 'session_start'").alias("sessions"),
        count("event_type = 'add_to_cart'").alias("carts"),
        count("event_type = 'checkout_started'").alias("checkouts"),
    ]
