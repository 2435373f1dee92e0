"""Grafana's alert rules on a real Elasticsearch: each fires at its trouble, and not just before."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from include.config import Settings
from include.dashboards.__main__ import FOLDER, RULES
from include.dashboards.watches import WATCHES, Watch
from include.names import Alias
from include.serving.indices import install
from tests.integration.grafana_queries import rows_of, search_of

(GROUP,) = yaml.safe_load((FOLDER / RULES).read_text(encoding="utf-8"))["groups"]
RULES_BY_UID = {rule["uid"]: rule for rule in GROUP["rules"]}
# The server is shared with other tests: no other has anything at these times.
SICK, WELL = datetime(2001, 3, 4, 5, 6, tzinfo=UTC), datetime(2001, 3, 5, 5, 6, tzinfo=UTC)


def observation(time: datetime, kind: str, subject: str, status: str = "ok", **metrics: float) -> dict[str, Any]:
    return {
        "_index": Alias.PIPELINE_HEALTH.value,
        "time": time.isoformat(),
        "kind": kind,
        "subject": subject,
        "status": status,
        "metrics": metrics,
    }


def state_of_everything(time: datetime, *, sick: bool) -> list[dict[str, Any]]:
    name = "sick" if sick else "well"
    bad = int(sick)
    return [
        observation(time, "freshness", "metrics", age_seconds=60 + bad),
        *(observation(time, "stream", "live_metrics", "failed" if sick else "ok") for _ in range(3)),
        observation(time, "machine", "local", disk_used_percent=90 + bad),
        observation(time, "handover", "000002", unexplained=bad),
        observation(time, "audit", "events", differences=bad),
        observation(time, "quality", "silver.purchases", failed_critical=bad),
        *(
            {
                "_index": Alias.FRAUD_ALERTS.value,
                "_id": f"grafana-{name}-{number}",
                "alert_id": f"grafana-{name}-{number}",
                "rule": "blocked_card",
                "severity": "critical",
                "event_time": time.isoformat(),
            }
            for number in range(50 + bad)
        ),
        {
            "_index": Alias.INVENTORY.value,
            "_id": f"grafana-{name}",
            "product_id": f"P-{name}",
            "warehouse_id": "wh-berlin",
            "status": "oversold" if sick else "out",
            "event_time": time.isoformat(),
        },
        {
            "_index": Alias.ALERTS.value,
            "_id": f"grafana-{name}",
            "alert_id": f"grafana-{name}",
            "severity": "critical",
            "state": "open" if sick else "acknowledged",
            "first_at": time.isoformat(),
        },
    ]


@pytest.fixture(scope="module")
def client(elasticsearch: Settings) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch.search_url) as search:
        install(search)
        documents = [*state_of_everything(SICK, sick=True), *state_of_everything(WELL, sick=False)]
        bulk(search, documents, refresh="wait_for")
        yield search


def fires(client: Elasticsearch, watch: Watch, now: datetime) -> bool:
    """What Grafana makes of a rule: the look, reduced to one number, beside the limit."""
    look, reduced, compared = (step["model"] for step in RULES_BY_UID[watch.uid]["data"])
    found = rows_of(look, client.search(index=watch.source.alias.value, **search_of(look, now)).body)
    numbers = [value for row in found for value in row.values() if value is not None]
    number = {"max": max, "sum": sum}[reduced["reducer"]](numbers)
    return bool(number > compared["conditions"][0]["evaluator"]["params"][0])


@pytest.mark.parametrize("watch", WATCHES, ids=lambda watch: watch.uid)
def test_a_rule_fires_at_its_trouble_and_not_just_before(client: Elasticsearch, watch: Watch) -> None:
    assert fires(client, watch, SICK + timedelta(minutes=1))
    assert not fires(client, watch, WELL + timedelta(minutes=1))
