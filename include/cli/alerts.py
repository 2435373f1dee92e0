"""``main.py alerts``: see alerts, take one over, try the delivery, and the dispatcher itself."""

import json
import logging
import signal
import threading
from datetime import UTC, datetime
from typing import Annotated

import typer

from include.config import get_settings

commands = typer.Typer(help="Alerts: list, ack, test, dispatch.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(commands, name="alerts")


@commands.command("list")
def list_alerts(
    resolved: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show open alerts, the worst first."""
    from include.alerting.incidents import listed
    from include.alerting.store import connection, store_path

    with connection(store_path(get_settings())) as database:
        found = listed(database, resolved=resolved)
        waiting = database.execute("SELECT count(*) FROM incoming WHERE taken_at IS NULL").fetchone()[0]
    if as_json:
        typer.echo(
            json.dumps(
                [
                    {
                        "incident": one.incident,
                        "state": one.state,
                        "severity": one.severity,
                        "subject": one.alert.subject,
                        "key": one.key,
                        "occurrences": one.occurrences,
                        "first_at": one.first_at.isoformat(),
                        "last_at": one.last_at.isoformat(),
                        "acknowledged_by": one.acknowledged_by,
                    }
                    for one in found
                ]
            )
        )
        return
    for one in found:
        taken = f"  taken by {one.acknowledged_by}" if one.acknowledged_by else ""
        typer.echo(
            f"{one.incident[:8]}  {one.state:<12} {one.severity:<8} {one.occurrences:>4}x  "
            f"{one.last_at:%Y-%m-%d %H:%M:%S}Z  {one.alert.subject}{taken}"
        )
    if not found:
        typer.echo("No alerts are open.")
    if waiting:
        typer.echo(f"{waiting} new ones wait for the dispatcher: python main.py alerts dispatch")


@commands.command()
def ack(
    incident: Annotated[str, typer.Argument(help="Its id, or the first letters of it, as `alerts list` shows it.")],
    by: Annotated[str, typer.Option(help="Who takes care of it.", envvar="USER")] = "command line",
) -> None:
    """Take an alert over: it is not repeated and does not escalate."""
    from include.alerting.intake import acknowledge
    from include.alerting.store import connection, store_path

    with connection(store_path(get_settings())) as database:
        found = acknowledge(database, incident, by, datetime.now(UTC))
    if found is None:
        typer.echo(f"no single alert has an id that starts with {incident}: see `main.py alerts list`", err=True)
        raise typer.Exit(1)
    typer.echo(f"{found.state}: {found.alert.subject}")


@commands.command()
def test() -> None:
    """Put a sample of each kind into the outbox; the dispatcher delivers them as it would real ones."""
    from include.alerting.outbox import Outbox
    from include.alerting.receivers import receivers_of
    from include.alerting.routing import load_routing
    from include.alerting.samples import samples

    settings = get_settings()
    routing = load_routing(settings.alert_routing_file)
    reachable = receivers_of(settings, routing)
    outbox = Outbox(settings)
    for alert in samples(settings):
        if not outbox.put(alert):
            raise typer.Exit(1)
        goes_to = [name for name in routing.receivers(alert, alert.time) if name in reachable]
        typer.echo(f"{alert.severity:<8} {alert.kind:<13} -> {', '.join(goes_to) or 'kept, told to nobody'}")


@commands.command()
def dispatch() -> None:
    """Deliver alerts until SIGTERM or Ctrl-C (the supervised part `alerting`)."""
    from include.alerting.dispatcher import Dispatcher
    from include.alerting.kafka_source import consume
    from include.alerting.receivers import receivers_of
    from include.alerting.routing import load_routing

    # Its warnings come with each try; the dispatcher says once that Elasticsearch is away.
    logging.getLogger("elastic_transport").setLevel(logging.ERROR)
    settings = get_settings()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    routing = load_routing(settings.alert_routing_file)
    dispatcher = Dispatcher(settings, routing, receivers_of(settings, routing))
    topics = threading.Thread(target=consume, args=(settings, stop), name="topics")
    topics.start()
    try:
        dispatcher.run(stop)
    finally:
        stop.set()
        topics.join()
