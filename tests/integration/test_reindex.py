"""Rebuilding the index behind an alias on a real Elasticsearch, while others read and write."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from include.config import Settings
from include.errors import ConfigurationError
from include.names import Alias
from include.serving import aliases, housekeeping, notes, takeover
from include.serving.client import connect
from include.serving.indices import install
from include.serving.reindex import reindex, rollback
from include.serving.scan import Document, documents_of, marks_of

EVENTS = Alias.EVENTS.value


def event(number: int, text: str = "good") -> Document:
    source = {"event_id": f"event-{number:06d}", "event_time": "2003-04-05T06:07:08.000Z", "text": text}
    return Document(source["event_id"], source)


@pytest.fixture
def client(elasticsearch: Settings) -> Iterator[Elasticsearch]:
    """With an alias of events that holds ten of them, whatever was there before."""
    with connect(elasticsearch) as search:
        install(search)
        old = aliases.indices_of(search, Alias.EVENTS)
        fresh = aliases.next_index(search, Alias.EVENTS)
        aliases.create_index(search, fresh)
        aliases.switch(
            search,
            Alias.EVENTS,
            add=[fresh],
            remove=aliases.indices_behind(search, Alias.EVENTS),
            write_index=fresh,
        )
        search.indices.delete(index=old)
        for number in range(10):
            document = event(number)
            search.index(index=EVENTS, id=document.id, document=document.source)
        search.indices.refresh(index=EVENTS)
        yield search


def count(client: Elasticsearch) -> int:
    client.indices.refresh(index=EVENTS)
    return int(client.count(index=EVENTS)["count"])


def texts(client: Elasticsearch) -> dict[str, str]:
    client.indices.refresh(index=EVENTS)
    return {document.id: document.source["text"] for document in documents_of(client, EVENTS)}


class Traffic:
    """Writers and readers that go on beside a reindex, and what they saw."""

    def __init__(self, client: Elasticsearch) -> None:
        self.client = client
        self.written = 10
        self.counts: list[int] = []
        self.problems: list[Exception] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._repeat, args=[step]) for step in (self._write, self._read)]

    def _write(self) -> None:
        document = event(self.written)
        self.client.index(index=EVENTS, id=document.id, document=document.source)
        self.client.index(index=EVENTS, id=event(0).id, document=event(0, f"state {self.written}").source)
        self.written += 1

    def _read(self) -> None:
        answer = self.client.search(index=EVENTS, size=0, track_total_hits=True)
        self.counts.append(answer["hits"]["total"]["value"])

    def _repeat(self, step: Callable[[], None]) -> None:
        while not self._stop.is_set():
            try:
                step()
            except Exception as error:
                self.problems.append(error)

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_the_new_index_holds_the_same_documents_and_the_old_one_is_kept(client: Elasticsearch) -> None:
    before = texts(client)
    report = reindex(client, Alias.EVENTS)
    assert (report.loaded, report.old_count, report.new_count) == (10, 10, 10)
    assert aliases.indices_behind(client, Alias.EVENTS) == [report.new]
    assert texts(client) == before
    assert client.indices.exists(index=report.old)
    client.index(index=EVENTS, id="later-0001", document=event(1).source)
    assert count(client) == 11


def test_reads_and_writes_go_on_and_nobody_sees_a_part(client: Elasticsearch) -> None:
    with Traffic(client) as traffic:
        time.sleep(1)
        reindex(client, Alias.EVENTS)
        time.sleep(1)
        rollback(client, Alias.EVENTS)
        time.sleep(1)
    assert traffic.problems == []
    assert traffic.counts == sorted(traffic.counts), "documents disappeared for a reader"
    assert traffic.counts[0] >= 10
    assert count(client) == traffic.written > 100
    assert texts(client)[event(0).id] == f"state {traffic.written - 1}"


def test_documents_come_from_the_lake_and_newer_ones_from_the_old_index(client: Elasticsearch) -> None:
    client.index(index=EVENTS, id="fresh-0001", document={**event(99).source, "topic": "purchases", "offset": 7})
    newer = {"range": {"offset": {"gte": 7}}}
    report = reindex(client, Alias.EVENTS, (event(number, "from the lake") for number in range(12)), newer=newer)
    assert (report.loaded, report.carried, report.new_count) == (12, 1, 13)
    assert texts(client)[event(3).id] == "from the lake"


def test_a_document_that_does_not_fit_is_named_and_nothing_changes(client: Elasticsearch) -> None:
    behind, before = aliases.indices_behind(client, Alias.EVENTS), texts(client)
    wrong = Document("wrong-0001", {"event_id": "wrong-0001", "event_time": "yesterday"})
    with pytest.raises(ConfigurationError, match=r"document wrong-0001 does not fit .*event_time"):
        reindex(client, Alias.EVENTS, [event(1), wrong])
    assert aliases.indices_behind(client, Alias.EVENTS) == behind == aliases.indices_of(client, Alias.EVENTS)
    assert texts(client) == before


def test_an_id_that_comes_twice_is_noticed(client: Elasticsearch) -> None:
    with pytest.raises(ConfigurationError, match="2003-04-05: 13 documents against 12"):
        reindex(client, Alias.EVENTS, [*(event(number) for number in range(12)), event(3, "again")])


def test_fewer_documents_than_before_need_a_word(client: Elasticsearch) -> None:
    with pytest.raises(ConfigurationError, match=r"would hold 1 documents, the present one holds 10.*--allow-fewer"):
        reindex(client, Alias.EVENTS, [event(1)])
    assert reindex(client, Alias.EVENTS, [event(1)], allow_fewer=True).new_count == 1


def test_a_rollback_keeps_what_was_written_since(client: Elasticsearch) -> None:
    report = reindex(client, Alias.EVENTS)
    client.index(index=EVENTS, id=event(50).id, document=event(50).source)
    client.index(index=EVENTS, id=event(2).id, document=event(2, "changed").source)
    assert rollback(client, Alias.EVENTS) == report.old
    found = texts(client)
    assert len(found) == 11
    assert found[event(2).id] == "changed"
    with pytest.raises(ConfigurationError, match="cannot go back"):
        rollback(client, Alias.EVENTS)


def test_a_take_over_that_was_killed_half_way_is_given_back(client: Elasticsearch) -> None:
    (old,) = aliases.indices_behind(client, Alias.EVENTS)
    half = aliases.next_index(client, Alias.EVENTS)
    aliases.create_index(client, half)
    notes.remember(client, half, marks={str(shard): mark for shard, mark in marks_of(client, half).items()})
    takeover._move_writes(client, Alias.EVENTS, old, half)
    client.index(index=EVENTS, id=event(60).id, document=event(60).source)
    assert count(client) == 10
    report = reindex(client, Alias.EVENTS)
    assert report.old == old
    assert event(60).id in texts(client)


def test_days_of_metrics_are_loaded_from_gold_instead(client: Elasticsearch) -> None:
    with pytest.raises(ConfigurationError, match="reindex metrics --from-lake"):
        reindex(client, Alias.METRICS)


def test_a_released_index_is_deleted_when_its_time_is_over(client: Elasticsearch) -> None:
    report = reindex(client, Alias.EVENTS)
    now = datetime.now(UTC)
    assert report.old not in housekeeping.delete_released(client, now, timedelta(hours=1))
    assert report.old in housekeeping.delete_released(client, now + timedelta(hours=1, seconds=1), timedelta(hours=1))
    assert aliases.indices_of(client, Alias.EVENTS) == [report.new]


def test_an_index_that_is_being_filled_is_only_noted(client: Elasticsearch) -> None:
    filling = aliases.next_index(client, Alias.EVENTS)
    aliases.create_index(client, filling)
    now = datetime.now(UTC) + timedelta(days=30)
    assert filling not in housekeeping.delete_released(client, now, timedelta(hours=1))
    aliases.switch(client, Alias.EVENTS, add=[filling])
    housekeeping.delete_released(client, now + timedelta(days=1), timedelta(hours=1))
    assert notes.RELEASED_AT not in notes.remembered(client, filling)


def test_observations_begin_a_new_index_each_day_and_old_ones_go(client: Elasticsearch) -> None:
    health = Alias.PIPELINE_HEALTH
    client.index(index=health.value, document={"kind": "test_reindex", "time": "2003-04-05T06:07:08Z"}, refresh=True)
    now, keep = datetime.now(UTC), timedelta(days=14)
    first = aliases.indices_behind(client, health)
    assert housekeeping.rotate_observations(client, now, keep) == []
    assert aliases.indices_behind(client, health) == first
    housekeeping.rotate_observations(client, now + timedelta(days=1), keep)
    second = [index for index in aliases.indices_behind(client, health) if index not in first]
    assert len(second) == 1
    assert client.index(index=health.value, document={"kind": "test_reindex"})["_index"] == second[0]
    assert housekeeping.rotate_observations(client, now + timedelta(days=15), keep) == first
    assert first[0] not in aliases.indices_behind(client, health)


def test_events_that_are_too_old_can_no_longer_be_found(client: Elasticsearch) -> None:
    young = event(77).source | {"event_time": "2003-04-06T06:07:09.000Z"}
    client.index(index=EVENTS, id="event-000077", document=young, refresh=True)
    alert = {"alert_id": "alert-1", "event_time": "2003-04-05T06:07:08.000Z"}
    client.index(index=Alias.FRAUD_ALERTS.value, id="alert-1", document=alert, refresh=True)
    now, keep = datetime(2003, 5, 6, 6, 7, 8, 500_000, tzinfo=UTC), timedelta(days=30)
    # Alerts of other tests may be as old.
    old = {"range": {"event_time": {"lt": "2003-04-06T06:07:08.500Z"}}}
    due = int(client.count(index=[EVENTS, Alias.FRAUD_ALERTS.value], query=old)["count"])
    assert due >= 11
    assert housekeeping.delete_old_events(client, now, keep) == due
    assert list(texts(client)) == ["event-000077"]
    assert client.count(index=Alias.FRAUD_ALERTS.value, query=old)["count"] == 0
