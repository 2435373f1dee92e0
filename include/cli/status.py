"""``status``: each part, healthy or why not."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from include.local.state import PartStatus


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(status)


def status(
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON object.")] = False,
) -> None:
    """Show each part: healthy or why not, process, port, memory, uptime. Exits with 1 unless all are healthy."""
    from include.config import get_settings
    from include.local.state import part_states

    parts = part_states(get_settings())
    healthy = all(part.healthy for part in parts)
    memory = sum(part.memory_mb for part in parts)
    if as_json:
        found = {"healthy": healthy, "memory_mb": round(memory, 1), "parts": [asdict(part) for part in parts]}
        typer.echo(json.dumps(found, indent=1))
    else:
        console = Console()
        console.print(_table(parts))
        console.print(f"{memory / 1000:.1f} GB in all", highlight=False)
    if not healthy:
        raise typer.Exit(1)


def _table(parts: "list[PartStatus]") -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("", "part", "pid", "port", "memory", "up", ""):
        table.add_column(column, justify="right" if column in ("pid", "port", "memory", "up") else "left")
    for part in parts:
        table.add_row(
            "[green]✓[/]" if part.healthy else "[red]✗[/]",
            part.part,
            str(part.pid or ""),
            str(part.port or ""),
            f"{part.memory_mb:.0f} MB" if part.pid else "",
            _span(part.uptime_seconds) if part.pid else "",
            _remark(part),
        )
    return table


def _remark(part: "PartStatus") -> str:
    if part.reason:
        return escape(part.reason.splitlines()[0])
    return part.address if part.lag is None else f"{part.address}  lag {part.lag:,}"


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
