"""Ranges of days that a form or a backfill asks for, as arguments of batch jobs."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from include.errors import ConfigurationError

if TYPE_CHECKING:
    from airflow.sdk import Context


def chosen_days(context: "Context") -> list[str]:
    """The range of days of a run: a backfill's own day, else what the form says."""
    is_backfill = context["dag_run"].run_type == "backfill"
    return range_arguments(context["params"], backfilled=context["logical_date"] if is_backfill else None)


def range_arguments(params: Mapping[str, Any], backfilled: datetime | None = None) -> list[str]:
    """``--from A --to B``, or ``--days N`` when the form names no first day.

    Args:
        params: The form: ``days``, ``from``, ``to`` (ISO dates or nothing).
        backfilled: The date of a backfill's run; its day wins over the form.

    Raises:
        ConfigurationError: If the last day has no first, or lies before it.
    """
    if backfilled is not None:
        day = backfilled.date().isoformat()
        return ["--from", day, "--to", day]
    first, last = params.get("from"), params.get("to")
    if not first and not last:
        return ["--days", str(params["days"])]
    if not first:
        raise ConfigurationError(f"to is {last} but from is empty: give both, or only from for a single day")
    last = last or first
    if date.fromisoformat(last) < date.fromisoformat(first):
        raise ConfigurationError(f"to ({last}) lies before from ({first}): exchange them")
    return ["--from", first, "--to", last]
