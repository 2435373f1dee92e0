"""The local Kafka and Elasticsearch, as every test of this tier gets them."""

from datetime import UTC, datetime

import httpx
from kafka import KafkaConsumer, KafkaProducer

from include.config import Settings
from include.local.elasticsearch import ElasticsearchNode
from include.local.kafka import KafkaBroker
from include.messaging.topics import create_topics, topic_states
from include.monitoring.engines import Engines, kafka_counters
from include.names import Part, Topic
from include.serving.client import connect


def test_the_broker_has_every_topic_once(kafka: Settings) -> None:
    assert create_topics(kafka) == []
    assert {state.name for state in topic_states(kafka)} == {topic.value for topic in Topic}


def test_a_record_comes_back_with_the_time_of_its_append(kafka: Settings) -> None:
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap_servers)
    sent = producer.send(Topic.PLATFORM_ALERTS.value, b"hello", timestamp_ms=1000).get(30)
    producer.close()
    consumer = KafkaConsumer(
        Topic.PLATFORM_ALERTS.value, bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest"
    )
    records = [record for batch in consumer.poll(30_000).values() for record in batch]
    consumer.close()
    assert [(r.value, r.offset) for r in records] == [(b"hello", sent.offset)]
    assert records[0].timestamp > 1_700_000_000_000


def test_elasticsearch_refuses_to_make_an_index_by_itself(elasticsearch: Settings) -> None:
    answer = httpx.put(f"{elasticsearch.search_url}/surprise/_doc/1", json={"a": 1})
    assert answer.status_code == 404


def test_both_servers_say_they_are_healthy(kafka_and_elasticsearch: Settings) -> None:
    assert KafkaBroker(kafka_and_elasticsearch).problem() is None
    assert ElasticsearchNode(kafka_and_elasticsearch).problem() is None


def test_the_broker_shows_heap_collectors_and_traffic(kafka_and_elasticsearch: Settings) -> None:
    exposition = httpx.get(f"http://127.0.0.1:{kafka_and_elasticsearch.kafka_metrics_port}/metrics").text
    assert "kafka_topic_messagesin_total" in exposition
    assert "kafka_underreplicatedpartitions 0.0" in exposition
    found = kafka_counters(exposition)
    assert 10 < found["heap_used_mb"] <= found["heap_max_mb"]
    assert found["gc_ms"] > 0


def test_each_local_engine_is_observed_by_its_name(kafka_and_elasticsearch: Settings) -> None:
    with connect(kafka_and_elasticsearch) as client:
        records = list(Engines(kafka_and_elasticsearch).take(datetime.now(UTC), client, 0))
    assert {record.subject for record in records} == {Part.KAFKA, Part.ELASTICSEARCH}


def test_a_server_that_is_away_says_where_it_was_looked_for(kafka: Settings) -> None:
    elsewhere = kafka.model_copy(update={"kafka_port": 1, "elasticsearch_port": 1})
    assert "127.0.0.1:1" in str(KafkaBroker(elsewhere).problem())
    assert "127.0.0.1:1" in str(ElasticsearchNode(elsewhere).problem())
