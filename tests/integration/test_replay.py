"""Replays of real files into a real broker, read back and added up."""

import base64
import json
from decimal import Decimal
from pathlib import Path

import pytest

from include.config import PROJECT_ROOT, Settings
from include.messaging.tail import TailRecord, tail
from include.messaging.topics import end_offsets
from include.names import Topic
from include.producers.sender import Sender
from include.replay.mapping import read_mapping
from include.replay.replay import Replay, ReplayReport

MAPPING = PROJECT_ROOT / "include" / "replay" / "mappings" / "cdnow.yaml"
WHOLE = PROJECT_ROOT.parent / "shared" / "data" / "cdnow_master.txt"
EXCERPT = """ customer_id  date number_of_cds  dollar_value
 90001 19970101  1   11.77
 90002 19970112  5   77.00
 90002 19970112  5   77.00
 90003 19980630  2    0.00
"""


def sent(kafka: Settings, file: Path) -> tuple[ReplayReport, dict[str, list[TailRecord]]]:
    """Replay a file; the report and what it added, by topic."""
    before = end_offsets(kafka)
    sender = Sender(kafka)
    sender.connect(wait_seconds=30)
    report = Replay(file, read_mapping(MAPPING), sender, lambda: False).run()
    added: dict[str, list[TailRecord]] = {}
    for topic in (Topic.PURCHASES, Topic.DEAD_LETTER):
        records = tail(kafka, [topic], beginning=True, idle_seconds=3)
        added[topic] = [r for r in records if r.offset >= before[topic].get(r.partition, 0)]
    return report, added


def cases(folder: Path) -> list[tuple[Path, int, int, Decimal, int, Decimal]]:
    excerpt = folder / "excerpt.txt"
    excerpt.write_bytes(EXCERPT.replace("\n", "\r\n").encode())
    found = [(excerpt, 4, 13, Decimal("165.77"), 3, Decimal("165.77"))]
    if WHOLE.exists():
        found.append((WHOLE, 69_659, 167_881, Decimal("2500315.63"), 8_928, Decimal("299060.17")))
    return found


def test_a_purchase_history_arrives_to_the_cent(kafka: Settings, tmp_path: Path) -> None:
    for file, purchases, items, revenue, january_purchases, january_revenue in cases(tmp_path):
        report, added = sent(kafka, file)
        events = [json.loads(record.value or b"") for record in added[Topic.PURCHASES]]
        january = [event for event in events if event["event_time"].startswith("1997-01")]
        assert report.acknowledged == report.sent == len(events) == purchases
        assert report.seconds < 60
        assert len({event["event_id"] for event in events}) == purchases
        assert sum(event["items"][0]["quantity"] for event in events) == items
        assert sum(Decimal(event["total"]) for event in events) == revenue
        assert len(january) == january_purchases
        assert sum(Decimal(event["total"]) for event in january) == january_revenue


def test_a_bad_row_is_a_dead_letter_with_its_line_and_the_run_goes_on(kafka: Settings, tmp_path: Path) -> None:
    file = tmp_path / "history.txt"
    file.write_text(EXCERPT + " 90004 19970230  1   5.00\n 90005 19970301  1   6.00\n")
    report, added = sent(kafka, file)
    (letter,) = added[Topic.DEAD_LETTER]
    document = json.loads(letter.value or b"")
    assert (report.rows, report.sent, dict(report.refused)) == (6, 5, {"bad_timestamp": 1})
    assert (document["stage"], document["source"], document["offset"]) == ("replay", "history.txt", 6)
    assert (document["reason"], document["field"], document["found"]) == ("bad_timestamp", "event_time", "19970230")
    assert base64.b64decode(document["value"]).decode() == " 90004 19970230  1   5.00"
    assert letter.key == b"history.txt-line-6"


def test_the_same_file_twice_gives_the_same_ids(kafka: Settings, tmp_path: Path) -> None:
    file = tmp_path / "again.txt"
    file.write_text(EXCERPT)
    first, second = (sent(kafka, file)[1][Topic.PURCHASES] for _ in range(2))
    assert sorted((r.key or b"", r.value or b"") for r in first) == sorted(
        (r.key or b"", r.value or b"") for r in second
    )


@pytest.mark.parametrize(("speed", "least"), [(86_400.0, 1.0)])
def test_a_chosen_speed_is_kept(kafka: Settings, tmp_path: Path, speed: float, least: float) -> None:
    file = tmp_path / "two-days.txt"
    file.write_text("header\n 90001 19970101 1 1.00\n 90001 19970102 1 1.00\n")
    sender = Sender(kafka)
    sender.connect(wait_seconds=30)
    report = Replay(file, read_mapping(MAPPING), sender, lambda: False, speed).run()
    assert report.sent == 2
    assert least <= report.seconds < least + 5
