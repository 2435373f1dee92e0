"""``start-monitoring``: watch the platform's own parts and write down what is seen."""

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command, in both spellings."""
    app.command("start-monitoring")(start_monitoring)
    app.command("start_monitoring", hidden=True)(start_monitoring)


def start_monitoring(
    every: Annotated[float, typer.Option(min=1, help="Seconds between two looks.")] = 10,
    once: Annotated[bool, typer.Option("--once", help="Look once, print it, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print each look as a line of JSON.")] = False,
) -> None:
    """Look at each part, stream, topic, disk and at the freshness of the numbers; store it in pipeline-health."""
    from include.config import get_settings
    from include.monitoring.watch import watch

    watch(get_settings(), every, once=once, as_json=as_json)
