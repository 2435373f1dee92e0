"""The streams against real Kafka, Elasticsearch and Delta: drained, drained again, replayed."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch
from kafka import KafkaConsumer
from pyspark.sql import SparkSession

from include.config import Settings
from include.errors import ConfigurationError
from include.handover.checkpoint import query_id_of
from include.handover.segments import ledger_of, ledger_path
from include.names import Alias, Query, Table, Topic
from include.serving.client import connect
from include.serving.indices import install
from include.supervision.beginning import begin_anew
from include.supervision.heartbeat import read_heartbeat
from include.supervision.lease import Lease, LeaseError, lease_path
from spark_jobs.streaming.driver import Driver
from spark_jobs.streaming.speed_layer import STREAMS
from tests.integration.speed_layer_events import Shop, order
from tests.integration.speed_layer_rig import forget_last_commit, fresh_broker, live_session

STREAMED = (Query.LIVE_METRICS, Query.LIVE_ACTIVITY, Query.BRONZE_ARCHIVE, Query.DEAD_LETTERS)


@pytest.fixture(scope="module")
def settings(elasticsearch: Settings) -> Iterator[Settings]:
    with fresh_broker(elasticsearch, dedup_window_seconds=10) as mine:
        yield mine


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[Elasticsearch]:
    with connect(settings) as search:
        install(search)
        yield search


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    with live_session() as session:
        yield session


@pytest.fixture(scope="module")
def shop(settings: Settings) -> Shop:
    return Shop(settings)


class Layer:
    """The speed layer, run in this process until its topics are drained."""

    def __init__(self, spark: SparkSession, settings: Settings, client: Elasticsearch) -> None:
        self.spark, self.settings, self.client = spark, settings, client

    def drain(self, *queries: Query) -> None:
        streams = {query: STREAMS[query] for query in queries or STREAMED}
        Driver("tests", streams, self.settings, once=True).run_in(self.spark)

    def live(self, *query_ids: str) -> tuple[int, int]:
        """Orders and cents as a reader sums them; of the present query where none is named."""
        wanted = list(query_ids) or [self.query_id]
        self.client.indices.refresh(index=Alias.METRICS.value)
        answer = self.client.search(
            index=Alias.METRICS.value,
            size=0,
            query={"bool": {"filter": [{"term": {"dimension": "all"}}, {"terms": {"query_id": wanted}}]}},
            aggs={name: {"sum": {"field": name}} for name in ("orders", "revenue_minor")},
        )
        sums = answer["aggregations"]
        return int(sums["orders"]["value"]), int(sums["revenue_minor"]["value"])

    def users_at_noon(self) -> int:
        self.client.indices.refresh(index=Alias.METRICS.value)
        found = self.client.search(index=Alias.METRICS.value, query={"ids": {"values": ["2026-03-10T12:00:00Z"]}})
        return int(found["hits"]["hits"][0]["_source"]["users"])

    @property
    def query_id(self) -> str:
        return query_id_of(self.checkpoint(Query.LIVE_METRICS))

    def checkpoint(self, query: Query) -> Path:
        return Path(self.settings.checkpoint_path(query))

    def rows(self, table: Table) -> int:
        return int(self.spark.read.format("delta").load(self.settings.table_path(table)).count())


@pytest.fixture(scope="module")
def layer(spark: SparkSession, settings: Settings, client: Elasticsearch) -> Layer:
    return Layer(spark, settings, client)


# The tests build on each other: what one sent, the next one finds in the topics.


def test_copies_in_one_micro_batch_count_once_and_broken_records_are_dead_letters(layer: Layer, shop: Shop) -> None:
    shop.send(order("a"), order("b", "0.10"), order("c", "0.20"), order("a"))
    shop.send(order("late", "5.55", seconds=-400_000), partition=1)
    shop.send_broken(total=12.5)

    layer.drain()

    assert layer.live() == shop.truth == (4, 1585)
    assert layer.rows(Table.BRONZE_EVENTS) == shop.records == 6
    assert layer.rows(Table.BRONZE_REJECTED) == shop.invalid == 1


def test_a_second_drain_adds_nothing(layer: Layer, shop: Shop) -> None:
    layer.drain()

    assert layer.live() == shop.truth
    assert layer.rows(Table.BRONZE_EVENTS) == shop.records


def test_copies_in_later_micro_batches_count_once(layer: Layer, shop: Shop) -> None:
    shop.send(order("b", "0.10"), order("d", "7.00"))
    layer.drain()

    assert layer.live() == shop.truth == (5, 2285)


def test_a_late_event_is_counted_in_its_own_window(layer: Layer, shop: Shop) -> None:
    answer = layer.client.search(
        index=Alias.METRICS.value,
        query={
            "bool": {
                "filter": [
                    {"term": {"query_id": layer.query_id}},
                    {"term": {"dimension": "all"}},
                    {"range": {"window_start": {"lt": "2026-03-09"}}},
                ]
            }
        },
    )
    [found] = [hit["_source"] for hit in answer["hits"]["hits"]]
    assert (found["window_start"], found["revenue_minor"]) == ("2026-03-05T20:53:20.000Z", 555)


def test_documents_carry_their_stamps_in_order(layer: Layer) -> None:
    answer = layer.client.search(
        index=Alias.METRICS.value, size=100, query={"term": {"query_id": layer.query_id}}, seq_no_primary_term=False
    )
    for source in (hit["_source"] for hit in answer["hits"]["hits"]):
        stamps = [source[name] for name in ("kafka_time_min", "kafka_time_max", "processed_at", "indexed_at")]
        stamps = [stamp.replace("Z", "+00:00") for stamp in stamps]
        assert stamps == sorted(stamps)


def test_a_micro_batch_written_but_not_committed_is_repeated_without_effect(layer: Layer, shop: Shop) -> None:
    shop.send(order("e", "100.00"))
    shop.send_broken(currency="nonsense")
    layer.drain()
    before = layer.client.count(index=Alias.METRICS.value, query={"term": {"query_id": layer.query_id}})["count"]
    batches = {query: forget_last_commit(layer.settings, query) for query in STREAMED}

    layer.drain()

    assert layer.live() == shop.truth == (6, 12285)
    after = layer.client.count(index=Alias.METRICS.value, query={"term": {"query_id": layer.query_id}})["count"]
    assert after == before
    assert layer.rows(Table.BRONZE_EVENTS) == shop.records
    assert layer.rows(Table.BRONZE_REJECTED) == shop.invalid
    assert all((layer.checkpoint(query) / "commits" / str(batch)).exists() for query, batch in batches.items())


def test_a_repeated_letter_has_the_key_of_the_first(layer: Layer, shop: Shop, settings: Settings) -> None:
    consumer = KafkaConsumer(
        Topic.DEAD_LETTER.value,
        bootstrap_servers=settings.bootstrap_servers,
        auto_offset_reset="earliest",
        consumer_timeout_ms=3000,
    )
    letters = [(record.key, json.loads(record.value)) for record in consumer]
    consumer.close()

    assert len({key for key, _ in letters}) == shop.invalid
    assert {letter["reason"] for _, letter in letters} == {"wrong_type", "bad_format"}
    assert all(key.decode() == f"{one['topic']}-{one['partition']}-{one['offset']}" for key, one in letters)


def test_activity_counts_people_once_per_minute(layer: Layer) -> None:
    answer = layer.client.search(index=Alias.METRICS.value, query={"term": {"dimension": "activity"}})
    by_minute = {hit["_id"]: hit["_source"] for hit in answer["hits"]["hits"]}

    assert by_minute["2026-03-10T12:00:00Z"]["users"] == 5
    assert by_minute["2026-03-10T12:00:00Z"]["buying_sessions"] == 5


def test_a_partition_filled_long_before_another_loses_nothing(layer: Layer, shop: Shop) -> None:
    for number in range(200):
        shop.send(order(f"old{number}", "1.00"), partition=0)
    # Longer than the window: what the other partition then brings is old when it is read.
    time.sleep(layer.settings.dedup_window_seconds + 2)
    shop.send(order("fresh", "1.00"), partition=1)
    layer.drain()
    shop.send(order("next", "1.00"), partition=0)
    layer.drain()

    assert layer.live() == shop.truth


def test_a_seal_closes_the_segment_and_the_next_one_has_its_own_index(layer: Layer, shop: Shop) -> None:
    ledger = ledger_of(layer.settings)
    ledger.request_seal()
    shop.send(order("f", "3.00"))
    layer.drain()

    [sealed] = ledger.sealed()
    assert sealed.end_offsets is not None
    assert sum(sealed.end_offsets["purchases"].values()) == shop.records - 1
    assert layer.live() == shop.truth
    found = layer.client.count(index="metrics-speed-000002", query={"term": {"query_id": layer.query_id}})["count"]
    assert found > 0


def test_a_second_driver_is_refused_while_one_runs(layer: Layer) -> None:
    other = Lease(lease_path(layer.settings, Query.LIVE_METRICS))
    other.acquire()
    try:
        with pytest.raises(LeaseError, match="already runs"):
            layer.drain()
    finally:
        other.release()


def test_a_driver_that_lost_its_lease_writes_nothing(layer: Layer, shop: Shop) -> None:
    before = layer.live()
    ledger = ledger_path(layer.settings).read_text(encoding="utf-8")
    shop.send(order("g", "9.00"))
    driver = Driver("tests", {Query.LIVE_METRICS: STREAMS[Query.LIVE_METRICS]}, layer.settings, once=True)

    with pytest.raises(Exception, match="lost the lease"):
        driver._run_queries(layer.spark)

    assert layer.live() == before
    assert ledger_path(layer.settings).read_text(encoding="utf-8") == ledger
    layer.drain()
    assert layer.live() == shop.truth


def test_queries_begin_anew_where_they_stand_when_their_checkpoint_cannot_be_used(layer: Layer, shop: Shop) -> None:
    before, users = layer.query_id, layer.users_at_noon()
    shop.send(order("h", "4.00"))
    layer.drain()
    # Written and never committed, and not to be done again by the same query.
    shop.send(order("i", "6.00"))
    layer.drain()
    forget_last_commit(layer.settings, Query.LIVE_METRICS)
    layer.spark.conf.set("spark.sql.shuffle.partitions", "3")
    with pytest.raises(ConfigurationError, match=r"has 2, the configuration has 3\..*begin-anew live_activity"):
        layer.drain(Query.LIVE_ACTIVITY)
    refused = read_heartbeat(layer.settings, Query.LIVE_ACTIVITY)
    assert refused is not None
    assert "begin-anew live_activity" in (refused.ended or "")

    begun = [begin_anew(layer.settings, query) for query in (Query.LIVE_METRICS, Query.LIVE_ACTIVITY)]
    shop.send(order("h", "4.00"), order("i", "6.00"), order("j", "2.00"))
    layer.drain()

    assert begun[0].query_id == layer.query_id != before
    assert layer.live() == (2, 800)
    assert layer.live(before, layer.query_id) == shop.truth
    assert layer.users_at_noon() == users + 3
    open_one = ledger_of(layer.settings).segments()[-1]
    assert (open_one.query_id, open_one.first_batch) == (layer.query_id, 1)
    layer.drain()
    assert layer.live(before, layer.query_id) == shop.truth
    with pytest.raises(ConfigurationError, match="bronze_archive keeps no state"):
        begin_anew(layer.settings, Query.BRONZE_ARCHIVE)
