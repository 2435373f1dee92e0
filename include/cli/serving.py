"""Commands on what is served: key figures, indices, reindex, the HTTP API."""

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.markup import escape

from include.errors import PartUnavailableError
from include.names import Alias

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch
    from fastapi import FastAPI
    from rich.console import Console, RenderableType

    from include.config import Settings
    from include.serving.kpis import Kpis

# The same as include.serving.kpis.MAX_MINUTES, which takes a second to import.
_MAX_MINUTES: Final = 1440

AsJson = Annotated[bool, typer.Option("--json", help="For programs: JSON.")]


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


def _reindex(
    alias: Annotated[Alias, typer.Argument(help="The alias whose index is rebuilt.")],
    from_lake: Annotated[bool, typer.Option("--from-lake", help="From silver (events) or gold (metrics).")] = False,
    documents: Annotated[Path | None, typer.Option(help="Take them from a folder of bulk bodies.")] = None,
    allow_fewer: Annotated[bool, typer.Option("--allow-fewer", help="The new index may hold fewer.")] = False,
    as_json: AsJson = False,
) -> None:
    """Build the index behind an alias anew and switch to it; reads and writes go on. By default from itself."""
    from include.config import get_settings
    from include.serving.rebuild import rebuild

    if from_lake and documents:
        raise typer.BadParameter("give --from-lake or --documents")
    report = rebuild(get_settings(), alias, from_lake=from_lake, folder=documents, allow_fewer=allow_fewer)
    if as_json:
        typer.echo(json.dumps(asdict(report)))
    else:
        typer.echo(
            f"{alias}: {report.new} ({report.new_count} documents) has taken the place of {report.old} "
            f"({report.old_count}). Way back: python main.py rollback {alias}"
        )


def _rollback(alias: Annotated[Alias, typer.Argument(help="The alias.")]) -> None:
    """Put the index before the last reindex back, with all that was written since."""
    from include.config import get_settings
    from include.serving.rebuild import put_back

    typer.echo(f"{alias}: {put_back(get_settings(), alias)} is back")


def _install() -> None:
    """Put the templates and make the first indices; on indices in use it adds new fields."""
    from include.config import get_settings
    from include.serving.client import connect, reachable
    from include.serving.indices import install

    settings = get_settings()
    with reachable(settings), connect(settings) as client:
        made = install(client)
    typer.echo(f"made {', '.join(made)}" if made else "everything was there")


def _list(as_json: AsJson = False) -> None:
    """Show each index: documents, size, and whether its alias shows it."""
    from rich.console import Console
    from rich.table import Table

    from include.config import get_settings
    from include.serving.client import connect, reachable
    from include.serving.housekeeping import states

    settings = get_settings()
    with reachable(settings), connect(settings) as client:
        found = states(client)
    if as_json:
        typer.echo(json.dumps([asdict(state) for state in found], default=str))
        return
    table = Table("Index", "Alias", "Read", "Documents", "MB", "Made")
    for state in found:
        released = f"not since {state.released_at:%Y-%m-%d %H:%M}" if state.released_at else "no"
        size, made = f"{state.size_bytes / 1e6:.1f}", f"{state.created_at:%Y-%m-%d %H:%M}"
        table.add_row(state.name, state.alias, "yes" if state.is_read else released, f"{state.documents:,}", size, made)
    Console().print(table)


def _clean() -> None:
    """Delete indices that nobody has read for INDEX_KEEP_HOURS, and observations older than HEALTH_KEEP_DAYS."""
    from include.config import get_settings
    from include.serving.client import connect, reachable
    from include.serving.housekeeping import clean

    settings = get_settings()
    with reachable(settings), connect(settings) as client:
        deleted = clean(client, settings, datetime.now(UTC))
    typer.echo(f"deleted {', '.join(deleted)}" if deleted else "nothing to delete")


def _serve(
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port; API_PORT by default.")] = None,
) -> None:
    """Serve the HTTP API until Ctrl-C; its description is at /docs."""
    from include.config import get_settings
    from include.serving.api.app import create_app

    settings = get_settings()
    _listen(create_app(settings), settings, port or settings.api_port)


def _collect(
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port; COLLECTOR_PORT by default.")] = None,
) -> None:
    """Take events of shops by HTTP until Ctrl-C, as Segment's SDKs send them."""
    from include.collector.app import create_app
    from include.config import get_settings

    settings = get_settings()
    _listen(create_app(settings), settings, port or settings.collector_port)


def _listen(app: "FastAPI", settings: "Settings", port: int) -> None:
    import uvicorn

    uvicorn.run(
        app,
        host=settings.platform_bind_host,
        port=port,
        ssl_certfile=settings.tls_certificate_file,
        ssl_keyfile=settings.tls_key_file,
        # Every request to the API is counted and timed at /metrics.
        access_log=False,
        timeout_graceful_shutdown=5,
    )


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("kpis")(_kpis)
    app.command("reindex")(_reindex)
    app.command("rollback")(_rollback)
    app.command("serve")(_serve)
    app.command("collect")(_collect)
    indices = typer.Typer(no_args_is_help=True, help="Elasticsearch indices: install, list, clean.")
    indices.command("install")(_install)
    indices.command("list")(_list)
    indices.command("clean")(_clean)
    app.add_typer(indices, name="indices")
