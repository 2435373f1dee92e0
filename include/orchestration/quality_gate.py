"""What verdicts on tables mean for a run: warnings are told, what is critical stops it."""

from collections.abc import Iterable

from airflow.sdk.exceptions import AirflowFailException

from include.alerting.alert import Alert, Kind, Severity
from include.alerting.outbox import Outbox
from include.config import Settings
from include.errors import ValidationFailedError
from include.names import DagId, Table
from include.quality.suite import Severity as OfExpectation
from include.quality.suite import tables_with_suites
from include.quality.verdict import Verdict, latest, require_publishable


def judge(settings: Settings, tables: Iterable[str]) -> dict[str, str]:
    """Tell of every table whose verdict changed for the worse or the better, then stop at the first critical one.

    Returns:
        The status of each table.

    Raises:
        AirflowFailException: If a table breaks a critical promise; trying again would find the same.
    """
    verdicts = [verdict for table in tables if (verdict := latest(settings, Table(table))) is not None]
    for verdict in verdicts:
        Outbox(settings).put(_alert(settings, verdict))
    require_published(settings, [verdict.table for verdict in verdicts])
    return {verdict.table.value: verdict.status for verdict in verdicts}


def require_published(settings: Settings, tables: Iterable[Table] | None = None) -> None:
    """Check that no table's latest verdict is critical.

    Args:
        settings: Say where the verdicts are.
        tables: Which tables; all with a suite by default.

    Raises:
        AirflowFailException: With table, expectation, what was found and the report.
    """
    try:
        require_publishable(settings, list(tables) if tables is not None else tables_with_suites())
    except ValidationFailedError as error:
        raise AirflowFailException(str(error)) from error


def _alert(settings: Settings, verdict: Verdict) -> Alert:
    critical = bool(verdict.of(OfExpectation.CRITICAL))
    days = f"{verdict.days[0]} to {verdict.days[-1]}" if verdict.days else "no day"
    return Alert(
        source="data-quality",
        kind=Kind.DATA_QUALITY,
        severity=Severity.CRITICAL if critical else Severity.WARNING,
        subject=(
            f"{verdict.table} breaks {len(verdict.failures)} of {verdict.expectations} expectations"
            if verdict.failures
            else f"{verdict.table} keeps its expectations"
        ),
        key=f"quality/{verdict.table}",
        evidence={
            "partitions": days,
            "rows": str(verdict.rows),
            "report": verdict.report,
            **{failure.expectation: f"{failure.observed}. {failure.about}".strip() for failure in verdict.failures},
        },
        runbook=f"{settings.airflow_url}/dags/{DagId.DATA_QUALITY}",
        resolved=not verdict.failures,
    )
