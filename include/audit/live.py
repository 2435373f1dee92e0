"""The live totals as any reader sees them: events by hour behind the alias ``metrics``."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from elasticsearch import Elasticsearch

from include.names import Alias
from include.serving.answers import require_whole


def live_hours(client: Elasticsearch, days: Sequence[str]) -> dict[str, int]:
    """Events by hour of event time (``2026-11-24T10``), for the days from the first to the last."""
    first = datetime.fromisoformat(days[0]).replace(tzinfo=UTC)
    after = datetime.fromisoformat(days[-1]).replace(tzinfo=UTC) + timedelta(days=1)
    client.indices.refresh(index=Alias.METRICS.value)
    answer = client.search(
        index=Alias.METRICS.value,
        size=0,
        query={
            "bool": {
                "filter": [
                    {"term": {"dimension": "all"}},
                    {"range": {"window_start": {"gte": first.isoformat(), "lt": after.isoformat()}}},
                ]
            }
        },
        aggregations={
            "hours": {
                "date_histogram": {"field": "window_start", "fixed_interval": "1h", "min_doc_count": 1},
                "aggs": {"events": {"sum": {"field": "events"}}},
            }
        },
    )
    require_whole(answer.body)
    return {
        datetime.fromtimestamp(bucket["key"] / 1000, UTC).strftime("%Y-%m-%dT%H"): round(bucket["events"]["value"])
        for bucket in answer["aggregations"]["hours"]["buckets"]
    }
