"""Which reports a run makes."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from include.reports.period import Length, Period, last_complete, period_of

if TYPE_CHECKING:
    from airflow.sdk import Context

_SCHEDULED: Final = "scheduled"
_MONDAY: Final = 0


def periods(context: "Context") -> list[Period]:
    """The periods of a run: those of the form; a backfill's run is about the day before its date."""
    params = context["params"]
    moment = context["logical_date"] if context["dag_run"].run_type == "backfill" else None
    return chosen(params["length"], params["day"], moment or datetime.now(UTC))


def chosen(length: str, day: str | None, now: datetime) -> list[Period]:
    """The periods of a form.

    Args:
        length: ``daily``, ``weekly``, or ``scheduled``: the day, and on Mondays the week as well.
        day: A day of the period (ISO); None for the newest period that is over.
        now: The moment of the run.
    """
    today = date.fromisoformat(day) + timedelta(days=1) if day else now.date()
    if length == _SCHEDULED:
        lengths = [Length.DAILY, *([Length.WEEKLY] if today.weekday() == _MONDAY else [])]
    else:
        lengths = [Length(length)]
    if day:
        return [period_of(one, date.fromisoformat(day)) for one in lengths]
    return [last_complete(one, now) for one in lengths]
