"""Writes a report into the data folder, and tells who receives reports."""

from pathlib import Path
from typing import Any, Final

from include.alerting.alert import Alert, Kind, Link, Severity
from include.alerting.outbox import Outbox
from include.config import Settings
from include.handover.segments import write_atomically
from include.reports.document import Report
from include.reports.figures import gather
from include.reports.period import Period
from include.reports.rendering import html, markdown
from include.reports.writing import report_of
from include.serving.client import connect, reachable

ENDINGS: Final = {".html": html, ".md": markdown}


def report_folder(settings: Settings) -> Path:
    """Where reports are kept."""
    return settings.platform_data_dir / "reports"


def report_url(settings: Settings, name: str) -> str:
    """Where a report is read, behind Airflow's login."""
    return f"{settings.airflow_url}/platform/reports/{name}.html"


def publish(settings: Settings, period: Period) -> dict[str, Any]:
    """Make the report on a period; doing it again replaces it and tells nobody twice.

    Returns:
        Its name, files and highlights.

    Raises:
        PartUnavailableError: If Elasticsearch does not answer.
    """
    with reachable(settings), connect(settings, timeout_seconds=60) as client:
        report = report_of(gather(settings, client, period))
    files = []
    for ending, render in ENDINGS.items():
        path = report_folder(settings) / f"{report.name}{ending}"
        write_atomically(path, render(report))
        files.append(str(path))
    Outbox(settings).put(_message(settings, report))
    return {
        "report": report.name,
        "url": report_url(settings, report.name),
        "files": files,
        "highlights": report.highlights,
    }


def _message(settings: Settings, report: Report) -> Alert:
    return Alert(
        source="report",
        kind=Kind.REPORT,
        severity=Severity.INFO,
        subject=report.title,
        key=f"report/{report.name}",
        evidence=report.highlights,
        links=(Link(label="Report", url=report_url(settings, report.name)),),
        # The same report is one message, however often it is made.
        alert_id=f"report-{report.name}",
    )
