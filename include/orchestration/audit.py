"""An audit, run from Airflow."""

from typing import Any, Final

from include.audit.audit import audit as run
from include.audit.audit import last_days
from include.audit.report import audits_dir
from include.config import Settings
from include.names import Connection
from include.orchestration.spark_connection import spark_target

_FINDINGS: Final = 20


def audit(settings: Settings, days: int) -> dict[str, Any]:
    """Audit the last days.

    Returns:
        Status, counts, the first findings, and where the report is: for the asset event.
    """
    spark_target(Connection.SPARK_BATCH)
    report = run(settings, last_days(days))
    return {
        "run": report.run,
        "status": report.status,
        "days": report.days,
        **report.counts,
        "findings": [str(one) for one in report.findings[:_FINDINGS]],
        "report": str(audits_dir(settings) / f"{report.run}.json"),
    }
