"""``audit``: every event counted once more, independently."""

import json
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(audit)


def audit(
    days: Annotated[int, typer.Option(min=1, help="The last days of event time, today included.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Compare Kafka, bronze, silver, gold and the live totals by event id; exit code 1 when they differ."""
    from include.audit.audit import audit as run
    from include.audit.audit import last_days
    from include.audit.report import audits_dir
    from include.config import get_settings

    settings = get_settings()
    report = run(settings, last_days(days))
    if as_json:
        typer.echo(json.dumps(report.as_json()))
    else:
        for name, count in report.counts.items():
            typer.echo(f"{name.replace('_', ' '):<16} {count:,}")
        for day in report.pending:
            typer.echo(f"gold of {day} waits for the next process-batch")
        for finding in report.findings:
            typer.echo(f"  {finding}")
        typer.echo(f"{len(report.findings)} differences; report: {audits_dir(settings) / report.run}.json")
    if report.findings:
        raise typer.Exit(1)
