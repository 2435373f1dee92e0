"""A batch job on Spark's own cluster of processes: a worker is killed in the middle, then the master comes back."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from include.config import PROJECT_ROOT, Settings
from include.local.ports import find_free
from include.supervision.spark_submit import spark_environment, spark_home, spark_submit_command
from tests.integration.conftest import data_folder, settings_in
from tests.integration.speed_layer_rig import live_session
from tests.spark.bronze_rows import archive, order

HOST = "127.0.0.1"
ORDERS = 60


@dataclass
class Cluster:
    """A master and its workers, each a process."""

    settings: Settings
    port: int
    page: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def master(self) -> str:
        """Its address."""
        return f"spark://{HOST}:{self.port}"

    def start_master(self) -> None:
        # The port for submissions by HTTP is always the same, and not asked for.
        recovery = (
            "-Dspark.master.rest.enabled=false -Dspark.deploy.recoveryMode=FILESYSTEM "
            f"-Dspark.deploy.recoveryDirectory={self._folder / 'recovery'}"
        )
        arguments = ("--host", HOST, "--port", str(self.port), "--webui-port", str(self.page))
        self._start("master", "org.apache.spark.deploy.master.Master", *arguments, SPARK_MASTER_OPTS=recovery)

    def start_worker(self, name: str) -> None:
        room = ("--cores", "1", "--memory", "700m", "--work-dir", str(self._folder / name))
        arguments = ("--host", HOST, "--webui-port", "0", *room)
        self._start(name, "org.apache.spark.deploy.worker.Worker", *arguments, self.master)

    def kill(self, name: str) -> None:
        """Without warning, and with the executors that it started."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def seen(self) -> dict[str, Any]:
        """What the master says of itself; nothing while it is away."""
        try:
            answer: dict[str, Any] = httpx.get(f"http://{HOST}:{self.page}/json/", timeout=5).json()
        except (httpx.TransportError, json.JSONDecodeError):
            return {}  # it is away, or has only just begun
        return answer

    def wait_for(self, workers: int, applications: int | None = None) -> None:
        """Until so many workers live, and so many applications have an executor."""
        deadline = time.monotonic() + 120
        while True:
            seen = self.seen()
            alive = [one for one in seen.get("workers", []) if one["state"] == "ALIVE"]
            busy = [one for one in alive if one["coresused"]]
            if len(alive) == workers and (applications is None or busy):
                return
            assert time.monotonic() < deadline, seen
            time.sleep(0.3)

    def submit(self, *arguments: str) -> "subprocess.Popen[str]":
        """Bronze to silver on the cluster."""
        properties = {
            "spark.executor.memory": "512m",
            "spark.driver.host": HOST,
            "spark.cores.max": "2",
        }
        job = PROJECT_ROOT / "spark_jobs" / "batch" / "silver.py"
        return subprocess.Popen(
            spark_submit_command(self.settings, job, *arguments, master=self.master, conf=properties),
            cwd=PROJECT_ROOT,
            env={**os.environ, **spark_environment(self.settings)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def _folder(self) -> Path:
        return self.settings.platform_data_dir / "cluster"

    def _start(self, name: str, main_class: str, *arguments: str, **environment: str) -> None:
        self._folder.mkdir(exist_ok=True)
        with (self._folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [str(spark_home() / "bin" / "spark-class"), main_class, *arguments],
                env={**os.environ, **spark_environment(self.settings), "SPARK_DAEMON_MEMORY": "256m", **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


@contextmanager
def running_cluster(settings: Settings) -> Iterator[Cluster]:
    port, page = find_free(2)
    cluster = Cluster(settings, port, page)
    try:
        cluster.start_master()
        for name in ("worker-1", "worker-2"):
            cluster.start_worker(name)
        cluster.wait_for(2)
        yield cluster
    finally:
        for name in list(cluster.processes):
            cluster.kill(name)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with data_folder() as folder:
        settings = settings_in(folder)
        with live_session() as spark:
            archive(spark, settings, [order(f"o{number:03d}", number, "1.00") for number in range(ORDERS)])
        with running_cluster(settings) as running:
            yield running


def written(output: str) -> int:
    """Rows that a run of silver says it wrote."""
    (report,) = re.findall(r" silver (\{.*\})", output)
    return sum(json.loads(report)["written"].values())


def test_a_job_survives_a_worker_that_is_killed(cluster: Cluster) -> None:
    with cluster.submit() as driver:
        cluster.wait_for(2, applications=1)
        cluster.kill("worker-1")
        output, _ = driver.communicate(timeout=240)
    assert driver.returncode == 0, output[-4000:]
    assert written(output) == ORDERS


def test_a_master_that_is_killed_comes_back_with_its_workers_and_takes_the_next_job(cluster: Cluster) -> None:
    cluster.kill("master")
    cluster.start_master()
    cluster.wait_for(1)
    with cluster.submit("--full") as driver:
        output, _ = driver.communicate(timeout=240)
    assert driver.returncode == 0, output[-4000:]
    assert written(output) == ORDERS
