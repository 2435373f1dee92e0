"""Low stock in a real Elasticsearch, as alerts in the dispatcher's store."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk

from include.alerting.alert import Alert
from include.alerting.dispatcher import Dispatcher
from include.alerting.outbox import Outbox
from include.alerting.routing import load_routing
from include.config import Settings
from include.monitoring.stock_alarms import StockAlarms
from include.names import Alias
from include.serving.client import connect
from include.serving.indices import install


def stocked(client: Elasticsearch, product: str, **fields: Any) -> None:
    body = {"product_id": product, "warehouse_id": "w-1", "level": 40, "hours_left": 9.0, "status": "low", **fields}
    client.index(index=Alias.INVENTORY.value, id=f"{product}/w-1", document=body, refresh=True)


def _emptied(client: Elasticsearch) -> None:
    hits = client.search(index=Alias.INVENTORY.value, size=1_000, source=False)["hits"]["hits"]
    actions = [{"_op_type": "delete", "_index": hit["_index"], "_id": hit["_id"]} for hit in hits]
    bulk(client, actions, refresh=True)


def taken(settings: Settings, alerts: list[Alert]) -> list[tuple[str, bool]]:
    for alert in alerts:
        assert Outbox(settings).put(alert)
    Dispatcher(settings, load_routing(settings.alert_routing_file), {}).take(datetime.now(UTC))
    return [(alert.subject, alert.resolved) for alert in alerts]


def test_low_products_are_told_once_and_so_is_their_return(elasticsearch: Settings, tmp_path: Path) -> None:
    settings = elasticsearch.model_copy(update={"platform_data_dir": tmp_path})
    with connect(settings) as client:
        install(client)
        _emptied(client)
        for number in range(30):
            stocked(client, f"p-{number:02}", hours_left=float(number + 1))
        stocked(client, "p-99", status="ok")
        alarms = StockAlarms(settings)

        assert taken(settings, alarms.judge(client, 0)) == []
        first = taken(settings, alarms.judge(client, 60))
        assert len(first) == 20
        assert first[0] == ("p-00 sells out in 1.0 h in w-1", False)
        assert taken(settings, alarms.judge(client, 70)) == []

        stocked(client, "p-00", status="ok")
        stocked(client, "p-20", level=0)
        # A monitor that was started anew knows from the store what was told.
        again = StockAlarms(settings)
        assert taken(settings, again.judge(client, 100)) == [("p-00 is there again in w-1", True)]
        assert taken(settings, again.judge(client, 160)) == [("p-20 is sold out in w-1", False)]
        _emptied(client)
