"""Commands of the batch layer: recompute, hand over, compact."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from include.names import Table

if TYPE_CHECKING:
    from include.handover.runs import HandoverRun

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def register(app: typer.Typer) -> None:
    """Add ``process-batch``, ``handover``, ``compact`` and ``restore``."""
    app.command()(process_batch)
    app.command()(handover)
    app.command()(compact)
    app.command()(restore)


def _report(job: str, arguments: list[str]) -> Any:
    """Run a batch job and return what it reported."""
    from include.config import get_settings
    from include.handover.submit import report_of

    return report_of(get_settings(), job, arguments)


def process_batch(
    days: Annotated[int | None, typer.Option(min=1, help="Recompute the last N days, today included.")] = None,
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Build silver and gold anew from all of bronze.")] = False,
    as_json: AsJson = False,
) -> None:
    """Recompute: bronze to silver to gold, for the days that changed and the days asked for."""
    if days and (first or last):
        raise typer.BadParameter("give --days, or --from and --to")
    if last and not first:
        raise typer.BadParameter("--to needs --from")
    if first and last and last < first:
        raise typer.BadParameter(f"--to {last:%Y-%m-%d} lies before --from {first:%Y-%m-%d}")
    arguments = [f"--days={days}"] if days else []
    arguments += [f"--{name}={day:%Y-%m-%d}" for name, day in (("from", first), ("to", last)) if day]
    report = _report("process.py", arguments + (["--full"] if full else []))
    if as_json:
        _print_json(report)
    else:
        _print_process(report)


def handover(
    rehearse: Annotated[bool, typer.Option("--dry-run", help="Compute and compare, but switch nothing.")] = False,
    accept: Annotated[
        str | None, typer.Option(help="Switch in spite of unexplained differences, for this reason.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hand over from the speed layer to the batch layer: exact, or refused."""
    from include.config import get_settings
    from include.handover.handover import Handover
    from include.handover.submit import submit_recompute
    from include.serving.client import connect, reachable

    settings = get_settings()
    with reachable(settings), connect(settings, timeout_seconds=60) as client:
        runs = Handover(settings, client, lambda folder: submit_recompute(settings, folder))
        run = runs.run(rehearse=rehearse, accept=accept)
        folder = runs.store.folder(run) if run else None
    if as_json:
        from dataclasses import asdict

        _print_json(asdict(run) if run else None)
    elif run is None or folder is None:
        typer.echo("Nothing to hand over: the speed layer has sealed no segment since the last time.")
    else:
        _print_handover(run, folder)


def compact(
    tables: Annotated[list[str] | None, typer.Argument(help="Tables, as silver.purchases. Default: all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Join small files of the Delta tables and delete old ones."""
    if unknown := set(tables or []) - {table.value for table in Table}:
        raise typer.BadParameter(f"no such table: {', '.join(sorted(unknown))}")
    report = _report("compact.py", tables or [])
    if as_json:
        _print_json(report)
        return
    _print_table(
        ["table", "files", "size (kB)", "read (s)"],
        [
            [
                row["table"],
                f"{row['before']['files']} → {row['after']['files']}",
                f"{row['before']['bytes'] // 1000} → {row['after']['bytes'] // 1000}",
                f"{row['read_seconds_before']} → {row['read_seconds_after']}",
            ]
            for row in report
        ],
    )


def restore(
    table: Annotated[Table, typer.Argument(help="A table of silver or gold, as gold.metrics_daily.")],
    version: Annotated[int | None, typer.Option(min=0, help="Go back to this version; without it, list them.")] = None,
    as_json: AsJson = False,
) -> None:
    """Put a table back to an earlier version, after a bad run; the next run does again what came since."""
    result = _report("restore.py", [table.value, *(["--version", str(version)] if version is not None else [])])
    if as_json:
        _print_json(result)
    elif version is None:
        rows = [
            [str(row[name]) for name in ("version", "written_at", "operation", "rows")] for row in result["versions"]
        ]
        _print_table(["version", "written", "operation", "rows"], rows)
    else:
        typer.echo(f"{table} has the {result['rows']} rows of version {version} again (it was at {result['was']}).")


def _print_json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, indent=1))


def _print_table(headings: list[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table as RichTable

    table = RichTable(*headings)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _print_process(report: dict[str, Any]) -> None:
    silver, gold = report["silver"], report["gold"]
    if silver["bronze_version"] is None:
        typer.echo(
            "No event is archived yet. The stream bronze_archive begins a few minutes after ./run.sh start, when the "
            "processors have time for it: wait until ./run.sh status says that speed-layer-background is healthy."
        )
        return
    days = sorted({*silver["written"], *silver["duplicates"], *gold["days"]})
    _print_table(
        ["day", "new events", "duplicates", "gold"],
        [
            [
                day,
                str(silver["written"].get(day, 0)),
                str(silver["duplicates"].get(day, 0)),
                "recomputed" if day in gold["days"] else "-",
            ]
            for day in days
        ],
    )
    typer.echo(
        f"Read {silver['rows_read']} rows of bronze (version {silver['bronze_version']}), refused {silver['refused']}, "
        f"reused ids {silver['reused_ids']}; silver {silver['seconds']} s, gold {gold['seconds']} s."
    )


def _print_handover(run: "HandoverRun", folder: Path) -> None:
    import json

    comparison = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    _print_table(
        ["hour", "events speed", "events batch", "orders speed", "orders batch", "unexplained", "explained by"],
        [
            [
                hour["hour"],
                str(hour["speed"]["events"]),
                str(hour["batch"]["events"]),
                str(hour["speed"]["orders"]),
                str(hour["batch"]["orders"]),
                str(hour["unexplained"]),
                ", ".join(hour["causes"]),
            ]
            for hour in comparison["hours"]
        ],
    )
    when = datetime.now(UTC).strftime("%H:%M:%S")
    typer.echo(
        f"{when} handover {run.run_id} {run.step}: segments {run.segments[0]} to {run.segments[-1]}, "
        f"days {', '.join(run.days) or 'none'}, lambda_drift_ratio {run.drift:.6f}."
    )
