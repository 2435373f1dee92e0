"""Submits batch jobs: one driver at a time, at low priority, with the settings of ``spark_jobs/conf/batch.conf``."""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator

from include.config import PROJECT_ROOT, get_settings
from include.names import Connection, Pool, Table
from include.orchestration.delta_log import last_commit
from include.orchestration.spark_connection import spark_target
from include.supervision.priority import modest

if TYPE_CHECKING:
    from airflow.sdk import Context


class _NiceHook(SparkSubmitHook):
    """Starts the driver at low priority, so that the live stream goes first when cores are short."""

    def submit(self, application: str = "", **kwargs: Any) -> str | None:
        """Run the driver to its end; unlike the provider's own, the pipe of its output is closed then."""
        try:
            return super().submit(application, **kwargs)
        finally:
            if self._submit_sp is not None and self._submit_sp.stdout is not None:
                self._submit_sp.stdout.close()

    def _get_spark_binary_path(self) -> list[str]:
        return [*modest(get_settings()), *super()._get_spark_binary_path()]


class SparkBatchOperator(SparkSubmitOperator):
    """Runs one job of ``spark_jobs/batch`` to its end, in the pool of batch drivers.

    Each of the task's outlets gets this run's duration on its asset event, and a Delta table its version and rows.

    Args:
        job: File below ``spark_jobs/batch``, for example ``silver.py``.
        arguments: The job's arguments: a list, a template of one, or another task's output.
    """

    def __init__(self, *, job: str, arguments: Any = None, **kwargs: Any) -> None:
        super().__init__(
            application=str(PROJECT_ROOT / "spark_jobs" / "batch" / job),
            application_args=arguments,
            conn_id=Connection.SPARK_BATCH,
            properties_file=str(PROJECT_ROOT / "spark_jobs" / "conf" / "batch.conf"),
            name=job.removesuffix(".py"),
            pool=Pool.SPARK_BATCH,
            **kwargs,
        )

    def _get_hook(self) -> SparkSubmitHook:
        return _NiceHook(
            conf=self.conf,
            conn_id=self._conn_id,
            name=self.name,
            application_args=[str(argument) for argument in self.application_args or ()],
            env_vars=self.env_vars,
            properties_file=self.properties_file,
            driver_memory=self._driver_memory,
        )

    def execute(self, context: "Context") -> None:
        """Submit, wait, and say on the asset events what became of the tables."""
        from include.supervision.spark_submit import spark_environment

        settings = get_settings()
        # The provider would fall back to a YARN cluster in silence.
        spark_target(self._conn_id)
        # The environment's own spark-submit, also where its folder is not on Airflow's PATH.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        self.env_vars = {**spark_environment(settings), "PATH": path}
        self.conf = {"spark.local.dir": str(settings.platform_data_dir / "spark-tmp"), **(self.conf or {})}
        self._driver_memory = settings.spark_batch_memory
        started = time.monotonic()
        super().execute(context)
        seconds = round(time.monotonic() - started, 1)
        for outlet in self.outlets:
            is_table = outlet.name in set(Table)
            facts = last_commit(settings.table_path(Table(outlet.name))) if is_table else {}
            context["outlet_events"][outlet].extra.update({**facts, "seconds": seconds})
