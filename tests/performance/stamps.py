"""Latencies from the stamps that documents and alerts carry."""

import json
from collections.abc import Iterator
from datetime import datetime

from elasticsearch import Elasticsearch
from elasticsearch.helpers import scan
from kafka import KafkaConsumer

from include.config import Settings
from include.fraud.rules import InstantRules
from include.names import Alias, Topic


def _millis(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


def processing_ms(client: Elasticsearch, since: float) -> Iterator[float]:
    """For each micro-batch's document: from the Kafka append of its oldest event until it was handed to the index.

    Args:
        client: Where the documents are.
        since: Only documents processed after this time, Unix seconds.
    """
    query = {
        "bool": {"filter": [{"term": {"dimension": "all"}}, {"range": {"processed_at": {"gte": int(since * 1000)}}}]}
    }
    source = ["kafka_time_min", "processed_at"]
    for hit in scan(client, index=Alias.METRICS.value, query={"query": query, "_source": source}):
        document = hit["_source"]
        yield _millis(document["processed_at"]) - _millis(document["kafka_time_min"])


def instant_fraud_ms(settings: Settings, since: float) -> list[float]:
    """For each alert of the instant rules: from the Kafka append of the order until that of the alert.

    Args:
        settings: Say where the broker is.
        since: Only alerts appended after this time, Unix seconds.
    """
    consumer = KafkaConsumer(
        Topic.FRAUD_ALERTS.value,
        bootstrap_servers=settings.bootstrap_servers,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        consumer_timeout_ms=3000,
    )
    instant = InstantRules.model_fields
    try:
        found = []
        for record in consumer:
            alert = json.loads(record.value)
            if record.timestamp >= since * 1000 and alert["rule"] in instant:
                found.append(record.timestamp - _millis(alert["kafka_time"]))
        return found
    finally:
        consumer.close()
