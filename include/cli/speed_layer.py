"""``speed-layer``: the streams' driver, and a query whose checkpoint cannot be used any more."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from include.names import Query

_AS_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = typer.Typer(help="The streams: restart them, begin one anew.", no_args_is_help=True)
    commands.command("restart")(restart)
    commands.command("begin-anew")(begin_anew)
    app.add_typer(commands, name="speed-layer")


def restart(as_json: _AS_JSON = False) -> None:
    """End the drivers after their micro-batches in flight and start them again, with new rules and settings."""
    from include.config import get_settings
    from include.supervision import speed_layer

    settings = get_settings()
    speed_layer.restart(settings)
    pids = sorted(set(speed_layer.state(settings).pids.values()))
    typer.echo(
        json.dumps({"restarted": True, "pids": pids}) if as_json else "The streams start from their checkpoints."
    )


def begin_anew(
    query: Annotated[Query, typer.Argument(help="The query; its driver must not run.")], as_json: _AS_JSON = False
) -> None:
    """Go on with a new checkpoint exactly where the old one stands: after a change that a checkpoint does not survive.

    The state is made anew from Kafka, without writing anything twice. The old checkpoint stays beside the new one.
    """
    from include.config import get_settings
    from include.supervision import beginning

    begun = beginning.begin_anew(get_settings(), query)
    if as_json:
        typer.echo(json.dumps(asdict(begun)))
        return
    records = sum(
        end - begun.warm_up_from[topic][partition]
        for topic, ends in begun.border.items()
        for partition, end in ends.items()
    )
    typer.echo(f"{query} goes on where it stands; its first micro-batch reads {records} records for its state alone.")
