"""``topics``: make the Kafka topics, and see how full they are."""

import json
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands."""
    topics = typer.Typer(help="Kafka topics: make them, see how full they are.", no_args_is_help=True)
    topics.command("create")(create)
    topics.command("list")(list_topics)
    app.add_typer(topics, name="topics")


def create(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Make the topics that are not there yet."""
    from include.config import get_settings
    from include.messaging.topics import create_topics

    made = create_topics(get_settings())
    if as_json:
        typer.echo(json.dumps({"created": made}))
    else:
        typer.echo(f"Made {', '.join(made)}." if made else "All topics are there.")


def list_topics(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show each topic's partitions and records."""
    from include.config import get_settings
    from include.messaging.topics import topic_states

    states = topic_states(get_settings())
    if as_json:
        listed = [
            {"topic": s.name, "records": s.records, "offsets": {str(p): list(o) for p, o in s.offsets.items()}}
            for s in states
        ]
        typer.echo(json.dumps(listed))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("topic", "partitions", "records")
    for state in states:
        table.add_row(state.name, str(len(state.offsets)), f"{state.records:,}")
    Console().print(table)
