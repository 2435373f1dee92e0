"""``main.py validate`` checks a table against its suite, ``quarantine`` moves rows that break it."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from include.names import Table


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("validate")(validate)
    app.command("quarantine")(quarantine)


def validate(
    table: Annotated[Table, typer.Argument(help="The table, for example silver.purchases.")],
    days: Annotated[int, typer.Option(min=1, help="Its newest days.")] = 7,
    max_rows: Annotated[int, typer.Option(min=1, help="Above so many rows, a sample is read.")] = 2_000_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Check a table against its suite in expectations/; exit code 1 when something critical fails."""
    import os
    import subprocess

    from include.config import PROJECT_ROOT, get_settings
    from include.errors import PlatformError
    from include.quality.suite import load_suite
    from include.quality.verdict import latest
    from include.supervision.spark_submit import spark_environment, spark_submit_command

    settings = get_settings()
    load_suite(table)
    job = PROJECT_ROOT / "spark_jobs" / "batch" / "validate.py"
    arguments = (table.value, "--days", str(days), "--max-rows", str(max_rows))
    command = spark_submit_command(settings, job, *arguments, master="local[2]")
    environment = {**os.environ, **spark_environment(settings)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    verdict = latest(settings, table)
    if done.returncode != 0 or verdict is None:
        raise PlatformError(f"validating {table} did not end: {done.stderr[-2000:]}")
    if as_json:
        typer.echo(json.dumps({**asdict(verdict), "status": verdict.status}))
    else:
        kind = "a sample of " if verdict.sampled else ""
        typer.echo(f"{table}: {verdict.status}, {verdict.expectations} expectations on {kind}{verdict.rows} rows")
        for failure in verdict.failures:
            typer.echo(f"  {failure}")
        typer.echo(f"report: {verdict.report or 'none, the table has no rows yet'}")
    if verdict.status == "failed":
        raise typer.Exit(1)


def quarantine(
    table: Annotated[Table, typer.Argument(help="A silver table, for example silver.purchases.")],
    release: Annotated[bool, typer.Option("--release", help="Move back what keeps its promises by now.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was moved as JSON.")] = False,
) -> None:
    """Move rows that break a critical expectation to silver.quarantine with the reason, and compute gold again."""
    from include.config import get_settings
    from include.handover.submit import report_of
    from include.names import SILVER_BY_TOPIC

    if table not in SILVER_BY_TOPIC.values():
        raise typer.BadParameter(f"choose one of {', '.join(SILVER_BY_TOPIC.values())}")
    moved = report_of(get_settings(), "quarantine.py", [table.value, *(["--release"] if release else [])])
    if as_json:
        typer.echo(json.dumps(moved))
        return
    where = "back from" if release else "to"
    typer.echo(f"{moved['rows']} rows moved {where} silver.quarantine; gold computed for {moved['days'] or 'no day'}")
    for reason, count in moved["reasons"].items():
        typer.echo(f"  {count} {reason}")
