"""Reads the rows of CSV, whitespace-separated text, JSON lines and Parquet, one after the other."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from include.errors import ConfigurationError
from include.replay.mapping import Source


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        line: Its line in the file, from 1 and the header counted; in Parquet its row, from 1.
        raw: The line's bytes, without its end; of a Parquet row its JSON.
        cells: Values by column; None where the row cannot be read, then ``problem`` says why.
    """

    line: int
    raw: bytes
    cells: dict[str, Any] | None
    problem: str = ""


def count_rows(path: Path, source: Source) -> int:
    """Lines (of Parquet: rows) in the file, for a progress bar."""
    try:
        if source.format == "parquet":
            return int(pq.read_metadata(path).num_rows)
        with path.open("rb") as file:
            return sum(1 for _ in file)
    except (OSError, pa.ArrowInvalid) as error:
        raise ConfigurationError(f"{path}: cannot be read as {source.format}: {error}") from error


def read_rows(path: Path, source: Source) -> Iterator[Row]:
    """The file's rows; one that cannot be read is a row with a problem."""
    if source.format == "parquet":
        yield from _parquet_rows(path)
        return
    columns = source.columns
    with path.open("rb") as file:
        for line, ended in enumerate(file, start=1):
            raw = ended.rstrip(b"\r\n")
            if not raw.strip():
                continue
            if source.format == "jsonl":
                yield _json_row(line, raw, source)
            elif line == 1 and source.header:
                columns = columns or _header(path, raw, source)
            else:
                yield _text_row(line, raw, source, columns or [])


def _split(raw: bytes, source: Source) -> list[str]:
    text = raw.decode(source.encoding)
    if source.format == "whitespace":
        return text.split()
    return next(csv.reader([text], delimiter=source.delimiter, strict=True))


def _header(path: Path, raw: bytes, source: Source) -> list[str]:
    try:
        return [name.strip().removeprefix("\ufeff") for name in _split(raw, source)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(
            f"{path}: line 1 is no header: {error}; set source.columns and header: false"
        ) from error


def _text_row(line: int, raw: bytes, source: Source, columns: list[str]) -> Row:
    try:
        values = _split(raw, source)
    except (UnicodeDecodeError, csv.Error) as error:
        return Row(line, raw, None, str(error))
    if len(values) != len(columns):
        return Row(line, raw, None, f"{len(values)} values for {len(columns)} columns")
    return Row(line, raw, dict(zip(columns, values, strict=True)))


def _json_row(line: int, raw: bytes, source: Source) -> Row:
    try:
        # Numbers stay text, so that an amount keeps its decimals.
        cells = json.loads(raw.decode(source.encoding), parse_float=str)
    except ValueError as error:
        return Row(line, raw, None, str(error))
    if not isinstance(cells, dict):
        return Row(line, raw, None, "not a JSON object")
    return Row(line, raw, cells)


def _parquet_rows(path: Path) -> Iterator[Row]:
    line = 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            for cells in batch.to_pylist():
                line += 1
                yield Row(line, json.dumps(cells, default=str, ensure_ascii=False).encode(), cells)
