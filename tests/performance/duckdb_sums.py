"""The aggregation of the batch bench's plain Spark, by DuckDB on the same files: another engine's limit."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import duckdb

_FIELDS: Final = ("event_id", "event_time", "event_type", "country", "currency", "total")
_QUERY: Final = """
    WITH events AS (
        SELECT topic, {fields} FROM (SELECT topic, decode(value) AS text FROM read_parquet(?))
    ),
    once AS (SELECT DISTINCT ON (event_id) * FROM events WHERE event_id IS NOT NULL)
    SELECT date_trunc('hour', event_time::TIMESTAMP), topic, event_type, country, currency,
           count(*), sum(total::DECIMAL(18, 2))
    FROM once GROUP BY ALL
"""


def measure(files: Sequence[str], cores: int, memory: str, spill: Path, runs: int) -> dict[str, Any]:
    """Sum the records of some Parquet files.

    Args:
        files: Files of bronze.
        cores: Threads to use.
        memory: Most memory to use, as ``1536MB``.
        spill: Folder for what does not fit.
        runs: How often.

    Returns:
        Seconds of each run and the number of events that were counted.
    """
    fields = ", ".join(f"json_extract_string(text, '$.{name}') AS {name}" for name in _FIELDS)
    seconds: list[float] = []
    events = 0
    with duckdb.connect(config={"threads": cores, "memory_limit": memory, "temp_directory": str(spill)}) as connection:
        for _ in range(runs):
            begun = time.monotonic()
            rows = connection.execute(_QUERY.format(fields=fields), [list(files)]).fetchall()
            seconds.append(round(time.monotonic() - begun, 2))
            events = sum(row[5] for row in rows)
    return {"seconds": seconds, "events": events}
