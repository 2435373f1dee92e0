"""The driver under the supervisor: killed while events arrive, started again from its checkpoints, stopped well."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from include.config import Settings
from include.handover.checkpoint import query_id_of
from include.local.kafka import KafkaBroker
from include.local.supervisor import Supervisor
from include.messaging.topics import create_topics
from include.names import Alias, Part, Query
from include.serving.client import connect
from include.serving.indices import install
from include.supervision import speed_layer
from tests.integration.conftest import data_folder, running, settings_in
from tests.integration.speed_layer_events import Shop, order


@pytest.fixture
def settings(elasticsearch: Settings) -> Iterator[Settings]:
    with data_folder() as folder:
        mine = settings_in(folder).model_copy(update={"elasticsearch_url": elasticsearch.search_url})
        # model_copy does not say so, but the driver must be told.
        mine.model_fields_set.add("elasticsearch_url")
        broker = KafkaBroker(mine)
        broker.prepare()
        with running(broker.program(), broker, mine.log_dir):
            create_topics(mine)
            with connect(mine) as client:
                install(client)
            yield mine
            Supervisor(mine).shut_down()


def live(settings: Settings) -> tuple[int, int]:
    checkpoint = Path(settings.checkpoint_path(Query.LIVE_METRICS))
    if not (checkpoint / "metadata").exists():
        return 0, 0
    query_id = query_id_of(checkpoint)
    with connect(settings) as client:
        client.indices.refresh(index=Alias.METRICS.value)
        sums = client.search(
            index=Alias.METRICS.value,
            size=0,
            query={"bool": {"filter": [{"term": {"dimension": "all"}}, {"term": {"query_id": query_id}}]}},
            aggs={name: {"sum": {"field": name}} for name in ("orders", "revenue_minor")},
        )["aggregations"]
    return int(sums["orders"]["value"]), int(sums["revenue_minor"]["value"])


def wait_for(condition: Callable[[], bool], seconds: float) -> float:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds
        time.sleep(0.2)
    return time.monotonic() - started


@pytest.mark.timeout(280)
def test_a_driver_killed_in_the_middle_comes_back_and_the_totals_are_exact(settings: Settings) -> None:
    supervisor, shop = Supervisor(settings), Shop(settings)
    shop.send(order("first"))
    assert speed_layer.start(settings, [Query.LIVE_METRICS])
    assert not speed_layer.start(settings, [Query.LIVE_METRICS])
    wait_for(lambda: live(settings) == shop.truth, 120)

    for number in range(40):
        shop.send(*(order(f"n{number}-{one}", "1.25") for one in range(10)), partition=number % 2)
        time.sleep(0.05)
        if number == 20:
            os.kill(supervisor.states()[Part.SPEED_LAYER].pid, signal.SIGKILL)
    wait_for(lambda: live(settings) == shop.truth, 120)

    pid = speed_layer.state(settings).pid
    assert speed_layer.stop(settings)
    after = speed_layer.state(settings)
    assert (after.is_running, after.is_wanted) == (False, False)
    assert pid is not None
    assert "ends after the micro-batches in flight" in supervisor.tail(Part.SPEED_LAYER, 400)
    assert not speed_layer.stop(settings)
