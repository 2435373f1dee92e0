"""The alert of a DAG author: ``on_failure_callback=[PlatformAlert()]``, at a task, at a DAG, or in a deadline."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from airflow.sdk import BaseNotifier
from airflow.sdk.definitions.context import Context

from include.alerting.alert import Alert, Kind, Link, Severity
from include.alerting.outbox import Outbox
from include.config import get_settings


class PlatformAlert(BaseNotifier):
    """Puts an alert into the outbox; it sends nothing itself, so it neither blocks nor fails a task.

    In ``on_failure_callback`` or ``on_retry_callback`` it raises the alert; in ``on_success_callback``, as
    ``PlatformAlert(resolved=True)``, it says that the trouble of an earlier run is over.

    Args:
        severity: How much a failure matters; a retry is never more than a warning.
        runbook: Address of what to do. Default: the DAG's own page, whose documentation is its run-book.
        resolved: Say that it is over instead.
        context: Only given by Airflow's triggerer, for a deadline.
    """

    def __init__(
        self,
        severity: Severity = Severity.CRITICAL,
        runbook: str | None = None,
        *,
        resolved: bool = False,
        context: Context | None = None,
    ) -> None:
        super().__init__(context)
        self.severity = severity
        self.runbook = runbook
        self.resolved = resolved

    def render_template_fields(self, context: Context, jinja_env: Any = None) -> None:
        """Render nothing: an alert has no templates, and the DAG that ``dag.test()`` hands over cannot render any."""

    def notify(self, context: Context) -> None:
        """Put the alert of a callback's context into the outbox."""
        Outbox(get_settings()).put(self.alert(context))

    async def async_notify(self, context: Context) -> None:
        """The same for deadlines, which run in the triggerer."""
        await asyncio.to_thread(self.notify, context)

    def alert(self, context: Mapping[str, Any]) -> Alert:
        """The alert that a context stands for."""
        if "deadline" in context:
            return self._of_deadline(context)
        if "reason" in context or context.get("ti") is None:
            return self._of_dag(context)
        return self._of_task(context)

    def _of_task(self, context: Mapping[str, Any]) -> Alert:
        ti = context["ti"]
        state = str(getattr(ti.state, "value", ti.state))
        evidence = {"run": ti.run_id, "state": state, "try": ti.try_number}
        mapped = f"/mapped/{ti.map_index}" if ti.map_index is not None and ti.map_index >= 0 else ""
        if context.get("exception") is not None:
            evidence["error"] = _described(context["exception"])
        retrying = state == "up_for_retry"
        verb = "works again" if self.resolved else "failed and will be tried again" if retrying else "failed"
        return self._built(
            kind=Kind.TASK_FAILED,
            severity=Severity.WARNING if retrying and self.severity is Severity.CRITICAL else self.severity,
            subject=f"Task {ti.task_id} of {ti.dag_id} {verb}",
            key=f"airflow/task/{ti.dag_id}/{ti.task_id}",
            evidence=evidence,
            dag_id=ti.dag_id,
            run_id=ti.run_id,
            log=f"tasks/{quote(ti.task_id, safe='')}{mapped}?try_number={ti.try_number}",
        )

    def _of_dag(self, context: Mapping[str, Any]) -> Alert:
        dag_id = context["dag"].dag_id
        evidence = {"run": context["run_id"]}
        if context.get("reason"):
            evidence["reason"] = context["reason"]
        return self._built(
            kind=Kind.DAG_FAILED,
            severity=self.severity,
            subject=f"DAG {dag_id} {'succeeds again' if self.resolved else 'failed'}",
            key=f"airflow/dag/{dag_id}",
            evidence=evidence,
            dag_id=dag_id,
            run_id=context["run_id"],
        )

    def _of_deadline(self, context: Mapping[str, Any]) -> Alert:
        run = context["dag_run"]
        deadline = context["deadline"]
        return self._built(
            kind=Kind.DEADLINE,
            severity=self.severity,
            subject=f"DAG {run['dag_id']} missed its deadline",
            key=f"airflow/deadline/{run['dag_id']}",
            evidence={"run": run["dag_run_id"], "due": deadline["deadline_time"]},
            dag_id=run["dag_id"],
            run_id=run["dag_run_id"],
        )

    def _built(self, *, dag_id: str, run_id: str, log: str | None = None, **fields: Any) -> Alert:
        page = f"{get_settings().airflow_url}/dags/{quote(dag_id, safe='')}"
        run = f"{page}/runs/{quote(run_id, safe='')}"
        links = [Link(label="Run", url=run)]
        if log is not None:
            links.append(Link(label="Log", url=f"{run}/{log}"))
        return Alert(
            source="airflow", links=tuple(links), runbook=self.runbook or page, resolved=self.resolved, **fields
        )


def _described(error: object) -> str:
    return f"{type(error).__name__}: {error}" if isinstance(error, BaseException) else str(error)
