"""The command line's frame: all subjects' commands in one app, and errors as messages."""

import logging
from importlib import import_module
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from include.cli import MODULES
from include.errors import PlatformError
from include.names import VERSION


class _Commands(TyperGroup):
    """Prints the platform's own errors as one message and exits with 1; ``--debug`` lets the trace through."""

    # Typer keeps the context's own class private, hence Any.
    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except PlatformError as error:
            if ctx.params["debug"]:
                raise
            Console(stderr=True).print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
            raise typer.Exit(1) from error


def _frame(
    debug: Annotated[bool, typer.Option("--debug", help="Show the trace of errors and debug messages.")] = False,
) -> None:
    """Real-time data platform: events in, live numbers out."""
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    if not debug:
        # Clients tell every reconnection at INFO; their warnings stay.
        for chatty in ("kafka", "elastic_transport", "httpx", "py4j"):
            logging.getLogger(chatty).setLevel(logging.WARNING)
        # It warns of its own event loop when the machine is busy.
        logging.getLogger("kafka.net.selector").setLevel(logging.ERROR)


def build() -> typer.Typer:
    """The app with every subject's commands."""
    app = typer.Typer(
        cls=_Commands,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog=f"Version {VERSION}",
    )
    app.callback()(_frame)
    for module in MODULES:
        import_module(module).register(app)
    return app
