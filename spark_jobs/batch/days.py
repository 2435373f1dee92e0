"""Ranges of days: as a job's arguments, and as conditions on tables partitioned by ``event_date``."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F


def add_arguments(parser: ArgumentParser) -> None:
    """Add ``--days``, ``--from`` and ``--to``."""
    parser.add_argument("--days", type=int, metavar="N", help="the last N days, today included")
    parser.add_argument("--from", dest="first", type=date.fromisoformat, metavar="DAY", help="first day, as 2026-11-24")
    parser.add_argument(
        "--to", dest="last", type=date.fromisoformat, metavar="DAY", help="last day; default: the first"
    )


def chosen(options: Namespace, parser: ArgumentParser) -> list[str]:
    """The days (ISO) that the arguments name; empty when they name none. A wrong range ends the program."""
    if options.days is not None:
        if options.first or options.last or options.days < 1:
            parser.error("--days takes a number from 1, and excludes --from and --to")
        today = datetime.now(UTC).date()
        return between(today - timedelta(days=options.days - 1), today)
    if options.first is None:
        if options.last is not None:
            parser.error("--to needs --from")
        return []
    last = options.last or options.first
    if last < options.first:
        parser.error(f"--to {last} lies before --from {options.first}")
    return between(options.first, last)


def between(first: date, last: date) -> list[str]:
    """All days from the first to the last, both included."""
    return [(first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]


def in_days(days: Sequence[str]) -> Column:
    """Whether a row is of one of these days (column ``event_date``)."""
    return F.col("event_date").isin([date.fromisoformat(day) for day in days])


def in_days_sql(days: Sequence[str]) -> str:
    """The same as SQL text."""
    dates = ", ".join(f"DATE'{day}'" for day in days)
    return f"event_date IN ({dates})"
