"""Synthetic records for the batch bench, made by Spark: bronze's columns, the contracts' events, known faults."""

from typing import Final

from pyspark.sql import DataFrame, SparkSession

# Of these many records one is a copy of an earlier one, and of those many one breaks its contract.
COPY_EVERY: Final = 100
BROKEN_EVERY: Final = 1000
PARTITIONS: Final = 4
# Two hours before midnight, so that any run touches more than one day.
START: Final = "TIMESTAMP'2026-03-09 22:00:00'"

_COPY_AT: Final = 57
_BROKEN_AT: Final = 13
_COPY_DISTANCE: Final = 50
_FORMAT: Final = "yyyy-MM-dd\\'T\\'HH:mm:ss.SSS\\'Z\\'"


def _draw(name: str, bound: int) -> str:
    """A number below the bound that depends on the event's number and the name only."""
    return f"pmod(xxhash64(event, '{name}'), {bound})"


def _one_of(name: str, values: str) -> str:
    words = values.split()
    return f"element_at(array({', '.join(repr(word) for word in words)}), CAST({_draw(name, len(words))} + 1 AS int))"


def _money(cents: str) -> str:
    return f"CAST(CAST(CAST({cents} AS decimal(16,0)) / 100 AS decimal(18,2)) AS string)"


_PRODUCT: Final = f"concat('product-', {_draw('product', 500)})"
_CATEGORY: Final = _one_of("category", "kitchen garden books toys music sports office pets")
_USER: Final = f"concat('customer-', {_draw('user', 50_000)})"
_DEVICE: Final = (
    f"named_struct('device_id', concat('device-', {_draw('device', 80_000)}), "
    f"'device_type', {_one_of('type', 'desktop mobile mobile tablet')})"
)
_COUNTRY: Final = _one_of("country", "DE FR US GB NL ES IT PL")
_CURRENCY: Final = _one_of("currency", "EUR EUR USD GBP")
_VISIT: Final = _one_of(
    "visit", "session_start page_view page_view page_view product_view product_view product_view add_to_cart"
)
_CENTS: Final = f"{_draw('cents', 20_000)} + 100"
_TOTAL_CENTS: Final = f"({_CENTS}) * ({_draw('lines', 3)} + 1)"
_LINES: Final = (
    f"transform(sequence(1, CAST({_draw('lines', 3)} + 1 AS int)), line -> named_struct("
    f"'product_id', concat('product-', pmod(xxhash64(event, line), 500)), 'category', {_CATEGORY}, 'quantity', 1, "
    f"'unit_price', {_money(_CENTS)}, 'amount', {_money(_CENTS)}))"
)
_ENVELOPE: Final = (
    "'event_id', concat('synthetic-', event), 'event_type', IF(broken, 'nothing_known', {kind}), "
    f"'event_time', date_format(event_time, '{_FORMAT}'), 'schema_version', 1"
)
_FAMILIES: Final = {
    "user-events": (
        _VISIT,
        f"'user_id', {_USER}, 'session_id', concat('session-', {_draw('session', 200_000)}), 'device', {_DEVICE}, "
        f"'country', {_COUNTRY}, 'page', concat('/shop/', {_CATEGORY}), 'product_id', {_PRODUCT}, "
        f"'category', {_CATEGORY}, 'quantity', 1, 'unit_price', {_money(_CENTS)}, 'currency', {_CURRENCY}",
    ),
    "purchases": (
        _one_of("purchase", "order_placed " * 19 + "order_returned"),
        f"'order_id', concat('order-', event), 'user_id', {_USER}, 'items', {_LINES}, 'currency', {_CURRENCY}, "
        f"'tax', '0.00', 'total', {_money(_TOTAL_CENTS)}, "
        f"'payment', named_struct('method', 'card', 'card_id', concat('card-', {_draw('card', 60_000)})), "
        f"'shipping_country', {_COUNTRY}, 'billing_country', {_COUNTRY}, 'device', {_DEVICE}",
    ),
    "inventory-updates": (
        "'stock_delta'",
        f"'warehouse_id', concat('house-', {_draw('house', 8)}), 'product_id', {_PRODUCT}, "
        f"'delta', CAST({_draw('delta', 200)} AS int) - 100, 'reason', 'correction'",
    ),
    "customer-feedback": (
        "'review_submitted'",
        f"'user_id', {_USER}, 'product_id', {_PRODUCT}, 'rating', CAST({_draw('rating', 5)} AS int) + 1, "
        "'text', 'It does what it should and came in time.', 'language', 'en'",
    ),
}
_TOPIC: Final = (
    f"CASE WHEN {_draw('family', 100)} < 78 THEN 'user-events' WHEN {_draw('family', 100)} < 90 THEN 'purchases' "
    f"WHEN {_draw('family', 100)} < 96 THEN 'inventory-updates' ELSE 'customer-feedback' END"
)
# Seconds between an event and its record; one in a hundred comes up to an hour late.
_DELAY: Final = f"IF({_draw('late', 100)} = 0, {_draw('delay', 3_600_000)}, {_draw('delay', 1000)}) / 1000"


def _value() -> str:
    branches = " ".join(
        f"WHEN '{topic}' THEN to_json(named_struct({_ENVELOPE.format(kind=kind)}, {fields}))"
        for topic, (kind, fields) in _FAMILIES.items()
    )
    return f"CAST(CASE topic {branches} END AS binary)"


def records(spark: SparkSession, first: int, last: int, rate: float, files: int) -> DataFrame:
    """Rows of ``bronze.events``; the offset of a record is its number.

    Args:
        spark: The session.
        first: Number of the first record.
        last: Number after the last record; both are multiples of ``BROKEN_EVERY``.
        rate: Records per second of arrival.
        files: How many files they make, if written as they are.
    """
    numbers = spark.range(first, last, 1, files).withColumnRenamed("id", "offset")
    events = numbers.selectExpr(
        "offset",
        f"IF(offset % {COPY_EVERY} = {_COPY_AT}, offset - {_COPY_DISTANCE}, offset) AS event",
        f"offset % {BROKEN_EVERY} = {_BROKEN_AT} AS broken",
        f"timestamp_millis(unix_millis({START}) + CAST(offset * 1000 / {rate} AS bigint)) AS kafka_time",
    )
    timed = events.selectExpr(
        "*",
        f"{_TOPIC} AS topic",
        f"CAST({_draw('partition', PARTITIONS)} AS int) AS partition",
        f"timestamp_millis(unix_millis({START}) + CAST(event * 1000 / {rate} - 1000 * ({_DELAY}) AS bigint)) "
        "AS event_time",
    )
    key = f"IF(topic IN ('user-events', 'purchases'), {_USER}, {_PRODUCT})"
    return timed.selectExpr(
        "topic",
        "partition",
        "offset",
        "kafka_time",
        f"CAST({key} AS binary) AS key",
        f"{_value()} AS value",
        "CAST(array() AS array<struct<key:string,value:binary>>) AS headers",
        "to_date(kafka_time) AS arrival_date",
    )
