"""The Platform page in a running Airflow: an API server, an Elasticsearch filled with literal documents."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from playwright.sync_api import BrowserContext

from include.config import PROJECT_ROOT, Settings
from include.local.airflow import Airflow
from include.local.artifacts import ArtifactCache
from include.local.elasticsearch import ElasticsearchNode
from include.local.waiting import wait_healthy
from include.names import Part
from include.serving.client import connect
from include.serving.indices import install
from tests.browser.shop_in_use import fill, running_streams
from tests.integration.conftest import data_folder, running, settings_in

PASSWORDS = {"admin": "admin-pass", "viewer": "viewer-pass"}

# Stands for the real DAG, so that this tier needs neither its files nor a scheduler.
_DAG = """
from airflow.sdk import DAG, Param
from airflow.providers.standard.operators.empty import EmptyOperator

with DAG("speed_layer", schedule=None, is_paused_upon_creation=False, params={"action": Param("start", type="string")}):
    EmptyOperator(task_id="nothing")
"""


@dataclass(frozen=True)
class Site:
    """Where the page is, and how to get in."""

    settings: Settings
    url: str

    def token(self, user: str) -> str:
        """A token of a user's session."""
        answer = httpx.post(f"{self.url}/auth/token", json={"username": user, "password": PASSWORDS[user]}, timeout=20)
        return str(answer.raise_for_status().json()["access_token"])


@contextmanager
def filled_search() -> Iterator[Settings]:
    """A running Elasticsearch with a shop's documents; settings that lead to it."""
    with data_folder() as folder:
        settings = settings_in(folder)
        ArtifactCache(settings).fetch()
        node = ElasticsearchNode(settings)
        node.prepare()
        with running(node.program(), node, settings.log_dir):
            with connect(settings) as client:
                install(client)
                fill(settings, client)
            yield settings


@contextmanager
def _beating(settings: Settings) -> Iterator[None]:
    """The streams' heartbeats stay fresh."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(2):
            running_streams(settings, datetime.now(UTC))

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def served(search: Settings) -> Iterator[Site]:
    """A running Airflow API server with the page, over this Elasticsearch."""
    airflow = Airflow(search)
    airflow.prepare()
    airflow.password_file.write_text(json.dumps(PASSWORDS))
    dags = search.platform_data_dir / "dags"
    dags.mkdir()
    (dags / "speed_layer.py").write_text(_DAG)
    environment = {
        **os.environ,
        **airflow.environment(),
        "PYTHONPATH": str(PROJECT_ROOT),
        "PLATFORM_DATA_DIR": str(search.platform_data_dir),
        "ELASTICSEARCH_PORT": str(search.elasticsearch_port),
        "AIRFLOW_PORT": str(search.airflow_port),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,viewer:viewer",
    }
    command = [sys.executable, "-m", "airflow"]
    subprocess.run([*command, "dags", "reserialize"], env=environment, check=True, capture_output=True, timeout=120)
    log = search.log_dir / "api-server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*command, "api-server"],
            env=environment,
            cwd=PROJECT_ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:

        def ended() -> str | None:
            return None if server.poll() is None else log.read_text(errors="replace")[-3000:]

        wait_healthy(Part.AIRFLOW_API, lambda: airflow.problem(Part.AIRFLOW_API), seconds=120, ended=ended)
        with _beating(search):
            yield Site(search, search.airflow_url)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def logged_in(context: BrowserContext, site: Site, user: str) -> None:
    """Let a browser in as this user."""
    context.add_cookies([{"name": "_token", "value": site.token(user), "url": site.url, "httpOnly": True}])
