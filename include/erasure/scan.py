"""Looks for a person in every file of the lake, those that no version needs included; asks neither Delta nor Spark."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from include.config import Settings
from include.errors import ConfigurationError


def files_naming(settings: Settings, user_id: str) -> list[str]:
    """Files of the lake that hold the id, below its root: data files by value, logs of tables by text.

    Raises:
        ConfigurationError: If the lake is in an object store, which this does not read.
    """
    if "://" in settings.lake_root:
        raise ConfigurationError(f"LAKE_URI is {settings.lake_root}: only a lake in a folder can be scanned")
    root = Path(settings.lake_root)
    return sorted(str(path.relative_to(root)) for path in _all_files(root) if _names(path, user_id))


def _all_files(root: Path) -> Iterator[Path]:
    if root.exists():
        yield from (path for path in root.rglob("*") if path.is_file())


def _names(path: Path, user_id: str) -> bool:
    if path.suffix == ".parquet" and "_delta_log" not in path.parts:
        return _in_data(path, user_id)
    # Quoted, as in JSON, and as in JSON within JSON.
    content = path.read_bytes()
    quoted = user_id.encode()
    return b'"' + quoted + b'"' in content or b'\\"' + quoted + b'\\"' in content


def _in_data(path: Path, user_id: str) -> bool:
    import pyarrow.parquet as pq

    opened = pq.ParquetFile(path)
    return any(_in_column(column, user_id) for batch in opened.iter_batches() for column in batch.columns)


def _in_column(column: Any, user_id: str) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_list(kind):
        return _in_column(column.flatten(), user_id)
    if pa.types.is_struct(kind):
        return any(_in_column(child, user_id) for child in column.flatten())
    if pa.types.is_string(kind):
        return bool(pc.any(pc.equal(column, pa.scalar(user_id))).as_py())
    if pa.types.is_binary(kind):
        whole = pc.any(pc.equal(column, pa.scalar(user_id.encode()))).as_py()
        quoted = pc.any(pc.match_substring(column, f'"{user_id}"')).as_py()
        return bool(whole or quoted)
    return False
