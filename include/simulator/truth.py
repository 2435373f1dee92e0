"""The truth about a run, as Parquet: each message that was sent, with its label and its faults.

The truth is a folder of Parquet files that readers take as one table. A file is complete when it has its name, so that
a kill loses no more than the rows of the last :data:`PART_SECONDS` seconds or so.
"""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from include.errors import ConfigurationError
from include.simulator.events import Event, Order

PART_SECONDS: Final = 10.0
# Rows are turned into Arrow in small steps, as the sender waits meanwhile; files are written beside it.
_BATCH_ROWS: Final = 1_000

_ITEM: Final = pa.struct(
    [
        ("product_id", pa.string()),
        ("category", pa.string()),
        ("quantity", pa.int32()),
        ("unit_price_minor", pa.int64()),
        ("amount_minor", pa.int64()),
    ]
)
_FIELDS: Final[list[tuple[str, pa.DataType]]] = [
    ("run", pa.string()),  # begins all ids of the run
    ("number", pa.int64()),  # of the distinct event within the run; a duplicate has its original's
    ("event_id", pa.string()),
    ("topic", pa.string()),
    ("key", pa.string()),
    ("event_type", pa.string()),
    ("event_time", pa.timestamp("ms", tz="UTC")),
    ("scheduled_time", pa.timestamp("ms", tz="UTC")),  # when the shop was to send it, in the shop's time
    ("valid", pa.bool_()),
    ("fault", pa.string()),  # how it breaks its contract; the columns tell what it was before
    ("invalid_value", pa.binary()),  # the bytes that were sent, where they are invalid
    ("is_duplicate", pa.bool_()),  # the second sending of an event
    ("is_late", pa.bool_()),
    ("is_out_of_order", pa.bool_()),
    ("acknowledged", pa.bool_()),  # false: the broker's answer never came, the message may or may not be there
    ("label", pa.string()),  # kind of fraud
    ("fraud_case", pa.string()),
    ("user_id", pa.string()),
    ("session_id", pa.string()),
    ("device_id", pa.string()),
    ("device_type", pa.string()),
    ("country", pa.string()),  # of the visit; of a purchase the shipping country, as in the conformed event
    ("product_id", pa.string()),
    ("category", pa.string()),
    ("quantity", pa.int32()),
    ("rating", pa.int32()),
    ("order_id", pa.string()),
    ("currency", pa.string()),
    ("items", pa.list_(_ITEM)),
    ("item_count", pa.int32()),  # units of all lines
    ("goods_minor", pa.int64()),
    ("discount_minor", pa.int64()),
    ("tax_minor", pa.int64()),
    ("shipping_minor", pa.int64()),
    ("total_minor", pa.int64()),
    ("payment_method", pa.string()),
    ("card_id", pa.string()),
    ("billing_country", pa.string()),
    ("warehouse_id", pa.string()),
    ("level", pa.int64()),
    ("delta", pa.int64()),
    ("reason", pa.string()),
]
SCHEMA: Final = pa.schema(_FIELDS)


class TruthWriter:
    """Writes a run's truth to a folder; further runs add to the same folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._run_id = ""
        self._rows: list[tuple[Event, bool]] = []
        self._batches: list[pa.RecordBatch] = []
        self._parts = 0
        self._part_begun = time.monotonic()
        self._background = ThreadPoolExecutor(1, thread_name_prefix="truth")
        self._writing: Future[None] | None = None

    def open(self) -> None:
        """Make the folder, and have Arrow ready: at its first array it imports pandas, which takes a second.

        Raises:
            ConfigurationError: If the folder cannot be written to.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"--truth: no folder for the truth at {self._folder}: {error}") from error
        truth_batch([], "")

    def begin(self, run_id: str) -> None:
        """What is added from now on is of this run."""
        self._run_id = run_id

    def add(self, event: Event, acknowledged: bool = True) -> None:
        """Note a message that was sent."""
        self._rows.append((event, acknowledged))
        if len(self._rows) >= _BATCH_ROWS:
            self._convert()

    def write_when_due(self) -> None:
        """Begin to write a file when the last one is old enough.

        Raises:
            OSError: If the file before could not be written.
        """
        if time.monotonic() - self._part_begun >= PART_SECONDS:
            self._begin_part()

    def close(self) -> None:
        """Write what is left.

        Raises:
            OSError: If a file could not be written.
        """
        self._begin_part()
        self._background.shutdown()
        if self._writing is not None:
            self._writing.result()

    def _convert(self) -> None:
        self._batches.append(truth_batch(self._rows, self._run_id))
        self._rows = []

    def _begin_part(self) -> None:
        self._part_begun = time.monotonic()
        if self._rows:
            self._convert()
        if self._writing is not None:
            self._writing.result()
        if self._batches:
            path = self._folder / f"{self._run_id}-{self._parts:06d}.parquet"
            self._writing = self._background.submit(_write_part, pa.Table.from_batches(self._batches), path)
            self._parts += 1
            self._batches = []


def _write_part(table: pa.Table, path: Path) -> None:
    hidden = path.with_name(f".{path.name}.unfinished")
    pq.write_table(table, hidden, compression="zstd")
    hidden.replace(path)


def truth_batch(rows: list[tuple[Event, bool]], run_id: str) -> pa.RecordBatch:
    """The rows of pairs (event, whether the broker acknowledged it)."""
    events = [row[0] for row in rows]
    visits = [event.visit for event in events]
    orders = [event.order for event in events]
    products = [event.product for event in events]
    stocks = [event.stock for event in events]
    columns: dict[str, list[object]] = {
        "run": [run_id] * len(rows),
        "number": [event.number for event in events],
        "event_id": [event.event_id for event in events],
        "topic": [event.topic for event in events],
        "key": [event.key.decode() if event.key else None for event in events],
        "event_type": [event.event_type for event in events],
        "event_time": [event.time_ms for event in events],
        "scheduled_time": [int(event.slot * 1000) for event in events],
        "valid": [event.fault is None for event in events],
        "fault": [event.fault for event in events],
        "invalid_value": [event.value if event.fault else None for event in events],
        "is_duplicate": [event.duplicate for event in events],
        "is_late": [event.late for event in events],
        "is_out_of_order": [event.out_of_order for event in events],
        "acknowledged": [row[1] for row in rows],
        "label": [visit.fraud if visit else None for visit in visits],
        "fraud_case": [visit.case if visit else None for visit in visits],
        "user_id": [visit.user_id if visit else None for visit in visits],
        "session_id": [visit.session_id if visit else None for visit in visits],
        "device_id": [visit.device_id if visit else None for visit in visits],
        "device_type": [visit.device_type if visit else None for visit in visits],
        "country": [
            order.shipping_country if order else visit.country if visit else None
            for order, visit in zip(orders, visits, strict=True)
        ],
        "product_id": [product.product_id if product else None for product in products],
        "category": [product.category if product else None for product in products],
        "quantity": [event.quantity for event in events],
        "rating": [event.rating for event in events],
        "items": [_items(order) if order else None for order in orders],
        "warehouse_id": [stock.warehouse if stock else None for stock in stocks],
        "level": [stock.level if stock else None for stock in stocks],
        "delta": [stock.delta if stock else None for stock in stocks],
        "reason": [stock.reason if stock else None for stock in stocks],
    }
    for name, field in _ORDER_FIELDS.items():
        columns[name] = [getattr(order, field) if order else None for order in orders]
    arrays = [pa.array(columns[field.name], field.type) for field in SCHEMA]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


_ORDER_FIELDS: Final = {
    "order_id": "order_id",
    "currency": "currency",
    "item_count": "units",
    "goods_minor": "goods",
    "discount_minor": "discount",
    "tax_minor": "tax",
    "shipping_minor": "shipping",
    "total_minor": "total",
    "payment_method": "method",
    "card_id": "card_id",
    "billing_country": "billing_country",
}


def _items(order: Order) -> list[dict[str, object]]:
    return [
        {
            "product_id": line.product.product_id,
            "category": line.product.category,
            "quantity": line.quantity,
            "unit_price_minor": line.product.price,
            "amount_minor": line.amount,
        }
        for line in order.lines
    ]
