"""Commands on what is served: key figures, indices, reindex, the HTTP API."""

import contextlib
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.markup import escape

from include.errors import PartUnavailableError

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch
    from rich.console import Console, RenderableType

    from include.config import Settings
    from include.serving.kpis import Kpis

# The same as include.serving.kpis.MAX_MINUTES, which takes a second to import.
_MAX_MINUTES: Final = 1440


def _kpis(
    minutes: Annotated[int, typer.Option(min=1, max=_MAX_MINUTES, help="How far to look back.")] = 15,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until Ctrl-C.")] = False,
    interval: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks with --watch.")] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per look.")] = False,
) -> None:
    """Show sales, active users, conversion, order value and cart abandonment, and how fresh they are."""
    from rich.console import Console

    from include.config import get_settings
    from include.serving.client import connect

    settings = get_settings()
    console = Console()
    with connect(settings) as client:
        if watch:
            _watch(lambda: _look(client, settings, minutes), console, interval, as_json)
        elif as_json:
            typer.echo(json.dumps(_look(client, settings, minutes).as_json()))
        else:
            console.print(_shown(_look(client, settings, minutes)))


def _look(client: "Elasticsearch", settings: "Settings", minutes: int) -> "Kpis":
    from include.serving.client import reachable
    from include.serving.kpis import read_kpis

    with reachable(settings):
        return read_kpis(client, datetime.now(UTC), minutes)


def _shown(kpis: "Kpis") -> "RenderableType":
    from include.serving.kpi_screen import nothing_yet, screen

    return nothing_yet(kpis) or screen(kpis)


def _watch(look: "Callable[[], Kpis]", console: "Console", interval: float, as_json: bool) -> None:
    from rich.live import Live

    with contextlib.suppress(KeyboardInterrupt), Live(console=console, auto_refresh=False) as live:
        while True:
            try:
                kpis = look()
            except PartUnavailableError as error:
                # Whoever watches a platform that comes back wants to see it come back.
                live.update(f"[bold red]{escape(str(error))}", refresh=True)
            else:
                if as_json:
                    typer.echo(json.dumps(kpis.as_json()))
                else:
                    live.update(_shown(kpis), refresh=True)
            time.sleep(interval)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("kpis")(_kpis)
