"""The assets of the platform: what DAGs read and write. Their graph in the Airflow UI is the architecture picture.

Raw topics -> bronze -> silver -> gold -> validated -> metrics; beside it the health of the streams and of the tables.
"""

from typing import Final

from airflow.sdk import Asset

from include.names import RAW_TOPICS, SILVER_BY_TOPIC, Alias, Connection, Table, Topic


def _topic(topic: Topic) -> Asset:
    return Asset(name=f"kafka.{topic}", uri=f"kafka://{Connection.KAFKA}/{topic}", group="kafka")


def _table(table: Table) -> Asset:
    layer, name = table.value.split(".", 1)
    return Asset(name=table.value, uri=f"x-delta://lake/{layer}/{name}", group=layer)


def _index(alias: Alias) -> Asset:
    return Asset(name=f"elasticsearch.{alias}", uri=f"x-elasticsearch://{alias}", group="elasticsearch")


def _fact(name: str) -> Asset:
    return Asset(name=name, uri=f"x-platform://{name.replace('.', '/')}", group="operations")


TOPICS: Final = tuple(_topic(topic) for topic in RAW_TOPICS)
DEAD_LETTERS: Final = _topic(Topic.DEAD_LETTER)

BRONZE_EVENTS: Final = _table(Table.BRONZE_EVENTS)
BRONZE_REJECTED: Final = _table(Table.BRONZE_REJECTED)
SILVER: Final = {table: _table(table) for table in SILVER_BY_TOPIC.values()}
GOLD: Final = {table: _table(table) for table in (Table.GOLD_METRICS_HOURLY, Table.GOLD_METRICS_DAILY)}
GOLD_RECOMMENDATIONS: Final = _table(Table.GOLD_RECOMMENDATIONS)

METRICS: Final = _index(Alias.METRICS)
RECOMMENDATIONS: Final = _index(Alias.RECOMMENDATIONS)
# Which alias it was is in the event.
REINDEXED: Final = _fact("elasticsearch.reindexed")
INDICES_CLEANED: Final = _fact("elasticsearch.cleaned")

# Silver and gold kept their promises: what is behind this may be published.
VALIDATED: Final = _fact("quality.validated")
STREAM_HEALTH: Final = _fact("speed_layer.health")
COMPACTED: Final = _fact("lake.compacted")
REPORTS: Final = _fact("platform.reports")
LETTERS_REPLAYED: Final = _fact("dead_letters.replayed")
AUDITED: Final = _fact("events.audited")
ERASED: Final = _fact("person.erased")

# The graph's open ends, on purpose: shops write these ...
WRITTEN_OUTSIDE: Final = frozenset(asset.name for asset in TOPICS)
# ... and these are read by people: the Airflow page, Grafana, the command line.
READ_OUTSIDE: Final = frozenset(
    asset.name
    for asset in (
        REPORTS,
        RECOMMENDATIONS,
        REINDEXED,
        INDICES_CLEANED,
        DEAD_LETTERS,
        STREAM_HEALTH,
        COMPACTED,
        LETTERS_REPLAYED,
        AUDITED,
        ERASED,
    )
)
