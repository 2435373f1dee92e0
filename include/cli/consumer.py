"""``start-consumer``: what is in the topics, as it comes."""

from typing import Annotated

import typer

from include.cli.values import duration
from include.names import RAW_TOPICS, Topic


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("start-consumer")(start_consumer)


def start_consumer(
    topics: Annotated[list[str] | None, typer.Argument(help="Topics. Default: the four that shops send to.")] = None,
    beginning: Annotated[
        bool, typer.Option("--beginning", help="From the oldest record. Default: only new ones.")
    ] = False,
    maximum: Annotated[int | None, typer.Option("--max", min=1, help="End after this many records.")] = None,
    idle: Annotated[
        float | None, typer.Option(parser=duration, metavar="TIME", help="End when nothing came for this long.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document per line.")] = False,
) -> None:
    """Print the records of topics as they come; ends on Ctrl-C or SIGTERM."""
    from include.config import get_settings
    from include.messaging.tail import tail
    from include.producers.stopping import stop_on_signals

    wanted = topics or [topic.value for topic in RAW_TOPICS]
    unknown = sorted(set(wanted) - {topic.value for topic in Topic})
    if unknown:
        raise typer.BadParameter(
            f"no such topic: {', '.join(unknown)}; there are {', '.join(topic.value for topic in Topic)}"
        )
    with stop_on_signals() as stopped:
        for record in tail(get_settings(), wanted, beginning, maximum, idle, stopped):
            typer.echo(record.as_json() if as_json else record.as_line())
