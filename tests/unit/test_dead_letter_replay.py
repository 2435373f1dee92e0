"""Sending repaired letters again: once, also after a broken run, with a receipt."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from include.alerting.store import connection, store_path
from include.config import Settings
from include.dead_letters.ledger import Ledger, Outcome
from include.dead_letters.letter import Letter, Selection, letter_from
from include.dead_letters.patches import read_rules
from include.dead_letters.receipt import receipts
from include.dead_letters.repair import Identity, Repaired
from include.dead_letters.replay import Replay
from include.dead_letters.telling import tell
from include.errors import PartUnavailableError
from tests.records import LINE, ORDER
from tests.unit.letters import NOW, letter


class Shelf:
    """Letters in memory, and the identities that a lake would hold."""

    def __init__(self, letters: list[Letter]) -> None:
        self.letters = letters
        self.present: list[Identity] = []
        self.settled: list[bool] = []

    def find(self, folder: Path, selection: Selection, rules: str, now: datetime, *, settle: bool) -> None:
        self.settled.append(settle)
        rows = [line_of(one) for one in self.letters]
        (folder / "letters.jsonl").write_text("\n".join(rows), encoding="utf-8")
        held = [json.dumps(vars(identity)) for identity in self.present]
        (folder / "present.jsonl").write_text("\n".join(held), encoding="utf-8")


def line_of(one: Letter) -> str:
    import base64

    texts = {name: getattr(one, name) for name in ("stage", "reason", "field", "expected", "found", "contract")}
    value = {} if one.value is None else {"value": base64.b64encode(one.value).decode()}
    place = {"topic": one.place.topic, "partition": one.place.partition, "offset": one.place.offset}
    return json.dumps({**place, "kafka_time": one.kafka_time.isoformat(), "key": "eA==", **value, **texts})


class Broker:
    """Takes events; refuses the first so many times, after having taken some."""

    def __init__(self, refusals: int = 0, taken_before: int = 0) -> None:
        self.taken: list[Repaired] = []
        self._refusals, self._taken_before = refusals, taken_before

    def send(self, events: Sequence[tuple[str, Repaired]]) -> None:
        if self._refusals:
            self._refusals -= 1
            self.taken += [event for _, event in events[: self._taken_before]]
            raise PartUnavailableError("kafka", "not acknowledged")
        self.taken += [event for _, event in events]


def order(number: int, offset: int, **changes: Any) -> Letter:
    return letter({**ORDER, "event_id": f"event-{number:04}", "total": 40, **changes}, offset=offset)


RULES = "rules: [{cast: $.total, to: decimal}]"
LETTERS = [order(1, 0), order(2, 1), order(1, 2), order(3, 3, currency="euro"), order(4, 4)]


def replay(settings: Settings, shelf: Shelf, broker: Broker, *, rehearse: bool = False) -> dict[str, int]:
    runs = Replay(settings, shelf, broker, lambda: NOW)
    receipt = runs.run(Selection(), read_rules(RULES, "r"), RULES, rehearse=rehearse)
    names = ("read", "repaired", "already_present", "still_refused")
    return {name: getattr(receipt, name) for name in names}


def test_a_letter_survives_its_line() -> None:
    assert letter_from(line_of(LETTERS[0])) == LETTERS[0]


def test_a_replay_sends_each_event_once_and_a_second_one_nothing(tmp_path: Path) -> None:
    settings, shelf, broker = Settings(_env_file=None, platform_data_dir=tmp_path), Shelf(LETTERS), Broker()
    shelf.present = [Identity("purchases", "event-0004", "2026-03-01")]
    rehearsed = replay(settings, shelf, broker, rehearse=True)
    assert (broker.taken, Ledger(settings).outcomes()) == ([], {})
    done = replay(settings, shelf, broker)
    assert done == rehearsed == {"read": 5, "repaired": 2, "already_present": 2, "still_refused": 1}
    assert [event.identity.event_id for event in broker.taken] == ["event-0001", "event-0002"]
    again = replay(settings, shelf, broker)
    assert again == {"read": 5, "repaired": 0, "already_present": 4, "still_refused": 1}
    assert len(broker.taken) == 2
    assert list((tmp_path / "dead-letters").glob("replay-*")) == []


def test_a_replay_that_was_broken_off_is_finished_without_sending_twice(tmp_path: Path) -> None:
    settings, shelf = Settings(_env_file=None, platform_data_dir=tmp_path), Shelf(LETTERS)
    broker = Broker(refusals=1, taken_before=1)
    with pytest.raises(PartUnavailableError):
        replay(settings, shelf, broker)
    assert set(Ledger(settings).outcomes().values()) == {Outcome.SENDING}
    # What arrived is in bronze by the time the next replay has waited for it.
    shelf.present = [event.identity for event in broker.taken]
    assert replay(settings, shelf, broker)["repaired"] == 2
    assert shelf.settled == [False, True]
    assert sorted(event.identity.event_id for event in broker.taken) == ["event-0001", "event-0002", "event-0004"]


def test_a_receipt_is_stored_and_told_with_masked_samples(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, platform_data_dir=tmp_path, elasticsearch_port=1)
    lines = [{**LINE, "quantity": 0}]
    shelf = Shelf([*LETTERS, letter({**ORDER, "items": lines}, offset=9)])
    receipt = Replay(settings, shelf, Broker(), lambda: NOW).run(
        Selection(), read_rules(RULES, "r"), RULES, link="http://airflow/run"
    )
    path = tell(settings, receipt)
    assert receipts(settings) == [receipt]
    assert json.loads(path.read_text(encoding="utf-8"))["refused"][1] == {
        "place": "purchases-0-9",
        "reason": "out_of_range",
        "field": "items[0].quantity",
        "expected": "at least 1",
        "found": "0",
    }
    assert "ann@example.org" not in path.read_text(encoding="utf-8")
    record = receipt.health_record().document()
    assert (record["status"], record["metrics"]["still_refused"]) == ("degraded", 2.0)
    with connection(store_path(settings), 1) as database:
        (body,) = database.execute("SELECT body FROM incoming").fetchone()
    alert = json.loads(body)
    assert "3 repaired, 1 already present, 2 still refused" in alert["subject"]
    assert alert["links"] == [{"label": "Run", "url": "http://airflow/run"}]
