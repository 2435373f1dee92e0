"""``replay``: anyone's own history through the platform."""

import json
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(replay)


def replay(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, text, JSON lines or Parquet.")],
    mapping: Annotated[
        Path, typer.Option(help="How rows become events: a YAML file, or the name of a shipped one (cdnow).")
    ],
    speed: Annotated[str, typer.Option(help="max, or how many seconds of the events' time pass per second.")] = "max",
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON, and no progress.")] = False,
) -> None:
    """Send a file's rows as events. A bad row goes to the dead letters with its line and the reason; the run goes on.

    The same file sent twice gives the same event ids, so that nothing counts twice. Exit code 1: some events were not
    acknowledged.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from include.config import get_settings
    from include.messaging.topics import create_topics
    from include.producers.sender import Sender
    from include.producers.stopping import stop_on_signals
    from include.replay.mapping import read_mapping
    from include.replay.replay import Replay
    from include.replay.rows import count_rows

    rules = read_mapping(mapping)
    pace = _speed(speed)
    total = count_rows(file, rules.source)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bars = Progress(*columns, console=Console(stderr=True), disable=as_json)
    with stop_on_signals() as stopped, bars:
        task = bars.add_task(file.name, total=total)
        sender = Sender(get_settings(), stopped)
        sender.connect()
        create_topics(get_settings())
        report = Replay(file, rules, sender, stopped, pace, lambda line: bars.update(task, completed=line)).run()
    if as_json:
        typer.echo(json.dumps(report.as_json()))
    else:
        counts = [f"{count:,} {reason}" for reason, count in report.refused.most_common()]
        reasons = f" ({', '.join(counts)})" if counts else ""
        typer.echo(
            f"{report.rows:,} rows in {report.seconds:.1f} s: {report.sent:,} events sent, "
            f"{report.refused.total():,} refused{reasons}, {report.failed:,} not acknowledged"
        )
    if report.failed:
        raise typer.Exit(1)


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise typer.BadParameter(f"--speed {text!r}: give max or a number above zero, for example 3600")
    return speed
