"""``freshness``: how far behind everything is, and what is left of the month's error budget."""

import json
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(freshness)


def freshness(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show each stream, index and table: complete up to when, how far behind, how much error budget is left.

    Exit code 1 when something is later than it may be.
    """
    from rich.console import Console
    from rich.table import Table

    from include.config import get_settings
    from include.freshness.watch import look

    ages, left = look(get_settings())
    if as_json:
        rows = [
            {**age.as_json(), "budget_left": left[age.subject].left if age.subject in left else None} for age in ages
        ]
        typer.echo(json.dumps(rows))
    else:
        table = Table("", "kind", "subject", "behind (s)", "allowed (s)", "complete up to", "newest", "budget left")
        for age in ages:
            budget = left.get(age.subject)
            table.add_row(
                "[red]✗[/]" if age.is_late else "[green]✓[/]",
                age.kind,
                age.subject,
                f"{age.age_seconds:.0f}",
                f"{age.limit_seconds:.0f}",
                f"{age.complete_up_to:%d %H:%M:%S}" if age.complete_up_to else "-",
                f"{age.newest:%d %H:%M:%S}" if age.newest else "-",
                f"{budget.left:.1%}" if budget else "not watched yet",
            )
        Console().print(table)
    if any(age.is_late for age in ages):
        raise typer.Exit(1)
