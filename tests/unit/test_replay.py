"""Mappings and what they make of rows; without a broker."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.config import PROJECT_ROOT
from include.contracts.validation import encode
from include.errors import ConfigurationError
from include.replay.conversion import RowRefused, event_of
from include.replay.mapping import Mapping, read_mapping
from include.replay.rows import read_rows

CDNOW = PROJECT_ROOT / "include" / "replay" / "mappings" / "cdnow.yaml"
REVIEWS = """
name: mine
topic: customer-feedback
source: {format: %s}
fields:
  event_id: {template: "mine-{line:05d}"}
  event_type: {constant: review_submitted}
  event_time: {column: when, type: time}
  schema_version: {constant: 1}
  user_id: {column: who}
  product_id: {column: what}
  rating: {column: stars, type: integer}
  text: {column: words, optional: true}
"""


def mapping_of(folder: Path, text: str) -> Mapping:
    path = folder / "mapping.yaml"
    path.write_text(text)
    return read_mapping(path)


def test_equal_cdnow_lines_become_two_purchases(tmp_path: Path) -> None:
    file = tmp_path / "cdnow.txt"
    file.write_bytes(
        b" customer_id date number_of_cds dollar_value\r\n 00001 19970101  1   11.77\r\n" * 1
        + b" 00001 19970101  1   11.77\r\n"
    )
    mapping = read_mapping(Path("cdnow"))
    first, second = (event_of(row, mapping) for row in read_rows(file, mapping.source))
    assert (first["event_id"], second["event_id"]) == ("cdnow-000002", "cdnow-000003")
    assert first["event_time"] == "1997-01-01T00:00:00.000Z"
    assert first["total"] == second["items"][0]["amount"] == "11.77"
    assert encode(first, mapping.topic)


@pytest.mark.parametrize(
    ("format", "content"),
    [
        ("csv", 'when,who,what,stars,words\n2026-01-31T10:00:00+01:00,u1,p1,5,"good, cheap"\n'),
        ("jsonl", '{"when":"2026-01-31T10:00:00+01:00","who":"u1","what":"p1","stars":5,"words":"good, cheap"}\n'),
    ],
)
def test_rows_of_text_formats_become_events(tmp_path: Path, format: str, content: str) -> None:
    file = tmp_path / "rows"
    file.write_text(content)
    mapping = mapping_of(tmp_path, REVIEWS % format)
    (row,) = read_rows(file, mapping.source)
    event = event_of(row, mapping)
    assert (event["event_time"], event["rating"], event["text"]) == ("2026-01-31T09:00:00.000Z", 5, "good, cheap")


def test_parquet_rows_become_events(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    row = {"when": "2026-01-31", "who": "u1", "what": "p1", "stars": 4, "words": None}
    pq.write_table(pa.Table.from_pylist([row]), file)
    mapping = mapping_of(tmp_path, REVIEWS % "parquet")
    (read,) = read_rows(file, mapping.source)
    assert "text" not in event_of(read, mapping)


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        ("00001 19970199 1 11.77", "event_time", "bad_timestamp"),
        ("00001 19970101 one 11.77", "items[0].quantity", "wrong_type"),
        ("00001 19970101 1 11.777", "items[0].amount", "bad_format"),
        ("00001 19970101 1", "", "bad_format"),
    ],
)
def test_a_bad_row_names_the_field_and_the_reason(tmp_path: Path, line: str, field: str, reason: str) -> None:
    file = tmp_path / "cdnow.txt"
    file.write_text(f"header\n{line}\n")
    mapping = read_mapping(CDNOW)
    (row,) = read_rows(file, mapping.source)
    with pytest.raises(RowRefused) as refusal:
        event_of(row, mapping)
    assert (row.line, refusal.value.field, refusal.value.reason) == (2, field, reason)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("format: csv", "format: xml", "source.format: .*found 'xml'"),
        ("{column: who}", "{column: who, typ: text}", "fields.user_id.typ: .*found 'text'"),
        ("{column: who}", "{column: who, constant: x}", "fields.user_id: give exactly one of"),
        ("{column: who}", "who", "fields.user_id: expected a rule"),
        ("customer-feedback", "dead-letter", "topic must be one of"),
    ],
)
def test_a_wrong_mapping_is_refused_by_its_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        mapping_of(tmp_path, (REVIEWS % "csv").replace(old, new))


def test_a_mapping_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(ConfigurationError, match=r"--mapping nowhere: cannot be read.*platform: cdnow"):
        read_mapping(Path("nowhere"))
