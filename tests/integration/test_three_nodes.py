"""Three nodes of Elasticsearch, each document on two of them: one is killed while others write and search."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest

from include.config import Settings
from include.local.elasticsearch import ElasticsearchNode
from include.names import Alias
from include.serving.aliases import indices_behind
from include.serving.answers import SAME_COPY
from include.serving.bulk import Document, bulk_writer
from include.serving.client import connect
from include.serving.indices import install
from tests.integration.conftest import data_folder, running, settings_in

pytestmark = pytest.mark.timeout(300)

NODES = 3
DOCUMENTS = 20_000
TOGETHER = 500
OURS = {"term": {"kind": "three-nodes"}}
ALL: dict[str, Any] = {"query": OURS, "size": 0, "track_total_hits": True}


class Node(ElasticsearchNode):
    """One of several: the same cluster, another name."""

    def __init__(self, settings: Settings, number: int, everybody: list[Settings]) -> None:
        super().__init__(settings)
        self._number = number
        self._seeds = [f"127.0.0.1:{one.elasticsearch_transport_port}" for one in everybody]

    def prepare(self) -> None:
        super().prepare()
        config = self.home / "config" / "elasticsearch.yml"
        names = [f"local-{number}" for number in range(1, NODES + 1)]
        text = config.read_text().replace("discovery.type: single-node\n", "")
        text = text.replace("node.name: local-1", f"node.name: local-{self._number}")
        text += f"discovery.seed_hosts: {self._seeds}\ncluster.initial_master_nodes: {names}\n"
        config.write_text(text)


@contextmanager
def cluster() -> Iterator[tuple[Settings, list[Node]]]:
    """Settings that name all nodes, and the nodes."""
    with data_folder() as folder, ExitStack() as running_nodes:
        each = [settings_in(_subfolder(folder, number)) for number in range(1, NODES + 1)]
        nodes = [Node(one, number, each) for number, one in enumerate(each, start=1)]
        for node in nodes:
            node.prepare()
        started = [running(node.program(), node, one.log_dir) for node, one in zip(nodes, each, strict=True)]
        # None of them is healthy before a second one is there.
        with ThreadPoolExecutor(NODES) as pool:
            list(pool.map(running_nodes.enter_context, started))
        yield each[0].model_copy(update={"elasticsearch_url": ",".join(one.search_url for one in each)}), nodes


def _subfolder(folder: Path, number: int) -> Path:
    made = folder / f"node-{number}"
    made.mkdir()
    made.chmod(0o755)
    return made


def process_of(node: Node) -> psutil.Process:
    """The node's Java process, by its own configuration folder."""
    config = f"-Des.path.conf={node.home / 'config'}"
    return next(one for one in psutil.process_iter(["cmdline"]) if config in (one.info["cmdline"] or []))


def observations(first: int, last: int) -> list[Document]:
    source = '{"time":"2026-03-10T12:00:00Z","kind":"three-nodes","subject":"%d","status":"ok"}'
    return [Document(f'{{"index":{{"_id":"{number}"}}}}', source % number) for number in range(first, last)]


@pytest.fixture(scope="module")
def nodes() -> Iterator[tuple[Settings, list[Node]]]:
    with cluster() as (together, each):
        with connect(together, timeout_seconds=60) as client:
            install(client)
            client.cluster.health(wait_for_status="green", wait_for_nodes=str(NODES), timeout="60s")
        yield together, each


def test_each_index_has_a_copy_on_another_node(nodes: tuple[Settings, list[Node]]) -> None:
    with connect(nodes[0]) as client:
        shards = client.cat.shards(index=indices_behind(client, Alias.PIPELINE_HEALTH), format="json").body
    assert {shard["prirep"] for shard in shards} == {"p", "r"}
    assert len({shard["node"] for shard in shards}) == 2


def test_a_node_killed_under_load_loses_no_document_and_fails_no_search(nodes: tuple[Settings, list[Node]]) -> None:
    together, each = nodes
    stop, counts, failures = threading.Event(), [0], list[str]()

    def search() -> None:
        with connect(together, timeout_seconds=30) as client:
            while not stop.is_set():
                try:
                    answer = client.search(index=Alias.PIPELINE_HEALTH, preference=SAME_COPY, **ALL)
                    counts.append(answer["hits"]["total"]["value"])
                    failures.extend(["a part failed"] * answer["_shards"]["failed"])
                except Exception as error:  # any failure is what the test is about
                    failures.append(repr(error))
                time.sleep(0.05)

    with connect(together) as client:
        [index] = indices_behind(client, Alias.PIPELINE_HEALTH)
        [primary] = [one for one in client.cat.shards(index=index, format="json").body if one["prirep"] == "p"]
    victim = each[int(primary["node"].rpartition("-")[2]) - 1]
    searcher = threading.Thread(target=search)
    searcher.start()
    writer = bulk_writer(together, give_up_seconds=120)
    written = 0
    for first in range(0, DOCUMENTS, TOGETHER):
        if first == DOCUMENTS // 2:
            os.kill(process_of(victim).pid, signal.SIGKILL)
        result = writer.send(index, observations(first, first + TOGETHER))
        assert result.refused == ()
        written += result.written
    writer.close()
    time.sleep(2)
    stop.set()
    searcher.join()
    with connect(together, timeout_seconds=60) as client:
        client.indices.refresh(index=index)
        found = client.count(index=index, query=OURS)["count"]
    assert (written, found) == (DOCUMENTS, DOCUMENTS)
    assert failures == []
    # Asked of one copy a count only grows; the other one, from then on, may be one refresh behind.
    assert sum(later < earlier for earlier, later in pairwise(counts)) <= 1
