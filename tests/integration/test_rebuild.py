"""The index of events from the lake: the export submitted to Spark, the reindex on a real Elasticsearch."""

from pathlib import Path

from elasticsearch import Elasticsearch
from pyspark.sql import SparkSession

from include.config import Settings
from include.names import Alias
from include.serving import aliases
from include.serving.client import connect
from include.serving.indices import install
from include.serving.rebuild import rebuild
from tests.spark.bronze_rows import archive, order, visit
from tests.spark.conftest import spark  # noqa: F401


def ids(client: Elasticsearch) -> list[str]:
    client.indices.refresh(index=Alias.EVENTS)
    hits = client.search(index=Alias.EVENTS, size=100, sort="event_id")["hits"]["hits"]
    return [hit["_id"].rstrip("_") for hit in hits]


def test_the_index_of_events_is_rebuilt_from_silver_and_keeps_what_is_newer(
    spark: SparkSession,  # noqa: F811
    elasticsearch: Settings,
    tmp_path: Path,
) -> None:
    settings = elasticsearch.model_copy(update={"platform_data_dir": tmp_path})
    archive(spark, settings, [order("a", 0), order("b", 1, total="1.5"), visit("v", 0)])
    newer = {"topic": "purchases", "partition": 0, "event_type": "order_placed", "event_time": "2026-03-10T12:00:00Z"}
    with connect(settings, timeout_seconds=60) as client:
        install(client)
        before = aliases.next_index(client, Alias.EVENTS)
        aliases.create_index(client, before)
        old = aliases.indices_behind(client, Alias.EVENTS)
        aliases.switch(client, Alias.EVENTS, add=[before], remove=old, write_index=before)
        for name, offset in (("a", 0), ("wrong", 1), ("new", 2)):
            client.index(index=Alias.EVENTS, id=name, document={**newer, "event_id": name, "offset": offset})
        report = rebuild(settings, Alias.EVENTS, from_lake=True)
        assert (report.old, report.loaded, report.carried, report.new_count) == (before, 2, 1, 3)
        assert aliases.indices_behind(client, Alias.EVENTS) == [report.new]
        assert ids(client) == ["a", "new", "v"]
