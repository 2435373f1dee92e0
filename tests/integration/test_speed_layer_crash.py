"""What is killed under load: driver, Kafka, Elasticsearch, Airflow's scheduler. All comes back, totals are exact."""

import logging
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from elasticsearch import ApiError, TransportError

from include.config import Settings
from include.handover.checkpoint import query_id_of
from include.local.airflow import Airflow
from include.names import Alias, Part, Query
from include.serving.client import connect
from include.supervision import speed_layer
from tests.integration.speed_layer_events import Shop, order
from tests.stack import Stack, stack

logger = logging.getLogger(__name__)

# Long enough for a busy machine; how long it takes is in the log.
PATIENCE_SECONDS = 150


@pytest.fixture(scope="module")
def platform() -> Iterator[Stack]:
    with stack() as running:
        airflow = Airflow(running.settings)
        airflow.prepare()
        running.supervisor.define(airflow.program(Part.AIRFLOW_SCHEDULER))
        running.supervisor.start(Part.AIRFLOW_SCHEDULER)
        assert speed_layer.start(running.settings, [Query.LIVE_METRICS])
        assert not speed_layer.start(running.settings, [Query.LIVE_METRICS])
        yield running


@pytest.fixture(scope="module")
def shop(platform: Stack) -> Shop:
    shop = Shop(platform.settings)
    shop.send(order("first"))
    wait_for(lambda: live(platform.settings) == shop.truth, 120)
    return shop


def live(settings: Settings) -> tuple[int, int] | None:
    """Orders and cents as a search finds them; None while Elasticsearch does not answer."""
    checkpoint = Path(settings.checkpoint_path(Query.LIVE_METRICS))
    if not (checkpoint / "metadata").exists():
        return 0, 0
    filters = [{"term": {"dimension": "all"}}, {"term": {"query_id": query_id_of(checkpoint)}}]
    sums = {name: {"sum": {"field": name}} for name in ("orders", "revenue_minor")}
    try:
        with connect(settings) as client:
            client.indices.refresh(index=Alias.METRICS.value)
            found = client.search(index=Alias.METRICS.value, size=0, query={"bool": {"filter": filters}}, aggs=sums)
    except (ApiError, TransportError):
        return None
    return int(found["aggregations"]["orders"]["value"]), int(found["aggregations"]["revenue_minor"]["value"])


def wait_for(condition: Callable[[], bool], seconds: float) -> float:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds
        time.sleep(0.2)
    return time.monotonic() - started


def schedulers(settings: Settings) -> set[int]:
    """Airflow's numbers of the schedulers whose heart beats."""
    beating = "SELECT id FROM job WHERE job_type = 'SchedulerJob' AND state = 'running'"
    with closing(sqlite3.connect(f"file:{Airflow(settings).database}?mode=ro", uri=True)) as database:
        return {row[0] for row in database.execute(beating)}


@pytest.mark.timeout(280)
@pytest.mark.parametrize("victim", [Part.SPEED_LAYER, Part.KAFKA, Part.ELASTICSEARCH])
def test_what_is_killed_under_load_comes_back_and_the_totals_are_exact(
    platform: Stack, shop: Shop, victim: Part
) -> None:
    pid = platform.pids()[victim.value]
    for number in range(40):
        shop.send(*(order(f"{victim}-{number}-{one}", "1.25") for one in range(10)), partition=number % 2)
        time.sleep(0.05)
        if number == 20:
            os.kill(pid, signal.SIGKILL)
            killed = time.monotonic()
    wait_for(lambda: live(platform.settings) == shop.truth, PATIENCE_SECONDS)
    logger.info("%s: exact again %.1f s after it was killed", victim, time.monotonic() - killed)
    assert platform.pids()[victim.value] != pid


@pytest.mark.timeout(280)
def test_a_killed_scheduler_stops_no_stream_and_comes_back(platform: Stack, shop: Shop) -> None:
    settings = platform.settings
    wait_for(lambda: bool(schedulers(settings)), PATIENCE_SECONDS)
    before, pids = schedulers(settings), platform.pids()

    os.kill(pids[Part.AIRFLOW_SCHEDULER.value], signal.SIGKILL)
    killed = time.monotonic()
    shop.send(*(order(f"unscheduled-{number}", "1.25") for number in range(50)))

    wait_for(lambda: live(settings) == shop.truth, PATIENCE_SECONDS)
    wait_for(lambda: bool(schedulers(settings) - before), PATIENCE_SECONDS)
    logger.info("scheduler: another one beats %.1f s after it was killed", time.monotonic() - killed)
    assert platform.pids()[Part.SPEED_LAYER.value] == pids[Part.SPEED_LAYER.value]


def test_a_driver_that_is_stopped_ends_its_batches_and_stays_away(platform: Stack, shop: Shop) -> None:
    settings = platform.settings
    assert speed_layer.state(settings).is_running
    assert speed_layer.stop(settings)
    after = speed_layer.state(settings)
    assert (after.is_running, after.is_wanted) == (False, False)
    assert "ends after the micro-batches in flight" in platform.supervisor.tail(Part.SPEED_LAYER, 400)
    assert not speed_layer.stop(settings)
    assert live(settings) == shop.truth
