"""``report``: what happened on a day or in a week, for people."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)


def report(
    weekly: Annotated[bool, typer.Option("--weekly", help="A week instead of a day.")] = False,
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A day of it. Default: the last that is over.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: JSON.")] = False,
) -> None:
    """Write the report on a day or a week as HTML and Markdown, and send its figures to who receives reports."""
    from include.config import get_settings
    from include.reports.period import Length, last_complete, period_of
    from include.reports.publishing import publish

    length = Length.WEEKLY if weekly else Length.DAILY
    period = period_of(length, day.date()) if day else last_complete(length, datetime.now(UTC))
    done = publish(get_settings(), period)
    if as_json:
        typer.echo(json.dumps(done))
        return
    for name, value in done["highlights"].items():
        typer.echo(f"{name:<16} {value}")
    typer.echo("\n".join(done["files"]))
