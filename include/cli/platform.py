"""Commands for the whole platform: start it, stop it, look at its logs, start it over."""

import os
from collections.abc import Callable, Collection
from typing import Annotated

import typer
from rich.console import Console

from include.names import Part

_JSON = typer.Option("--json", help="For programs: one JSON object.")


def register(app: typer.Typer) -> None:
    """Add the commands, and beside them the older script names with underscores."""
    for command in (start, stop, restart, logs, reset, env, lock):
        app.command()(command)
    app.command("deploy", help="The same as start.")(start)
    for command in (init_infra, configure_services, deploy_processors, init_metrics):
        _both_spellings(app, command)


def _both_spellings(app: typer.Typer, command: Callable[..., None]) -> None:
    name = command.__name__
    app.command(name.replace("_", "-"))(command)
    app.command(name, hidden=True)(command)


def start() -> None:
    """Start everything, wait until it is healthy, and show where it is and the first live numbers."""
    from include.cli.welcome import show_addresses, show_first_numbers
    from include.config import get_settings

    settings, console = get_settings(), Console()
    _start(console, None)
    show_addresses(settings, console)
    show_first_numbers(settings, console)


def _start(console: Console, parts: Collection[Part] | None) -> None:
    from include.cli.artifacts import fetch
    from include.cli.progress import start_progress
    from include.config import get_settings
    from include.local.start import Start

    fetch()
    with start_progress(console) as progress:
        Start(get_settings(), parts, progress.report).run()


def stop() -> None:
    """End everything cleanly: producers first, streams after their batch, servers last. Data stays."""
    from include.config import get_settings
    from include.local.stop import stop as stop_platform

    console = Console()
    ran = stop_platform(get_settings(), lambda step: console.print(step, highlight=False, soft_wrap=True))
    console.print("stopped" if ran else "nothing was running")


def restart() -> None:
    """Stop, then start."""
    stop()
    start()


def logs(
    part: Annotated[Part, typer.Argument(help="Whose log.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it grows.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many lines from the end.")] = 100,
) -> None:
    """Show the log of a part."""
    from include.config import get_settings
    from include.errors import PartUnavailableError
    from include.local.supervisor import Supervisor

    path = Supervisor(get_settings()).log_file(part)
    if not path.exists():
        raise PartUnavailableError(part, f"it has no log yet ({path}); start it with ./run.sh start")
    arguments = ["-F"] if follow else []
    os.execvp("tail", ["tail", "-n", str(lines), *arguments, str(path)])  # noqa: S606, S607 - becomes tail


def reset(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Stop everything and delete the platform's data: topics, tables, indices, checkpoints, logs."""
    from include.config import get_settings
    from include.local.stop import delete_data

    settings = get_settings()
    if not yes:
        typer.confirm(f"Delete everything in {settings.platform_data_dir}?", abort=True)
    stop()
    delete_data(settings)
    typer.echo(f"{settings.platform_data_dir} is empty")


def env(
    dags_test: Annotated[
        int | None,
        typer.Option(metavar="PID", help="With a database of its own for the `airflow dags test` of this process."),
    ] = None,
) -> None:
    """Print the environment of the platform's Airflow and Spark as shell commands."""
    import shlex

    from include.config import get_settings
    from include.local.airflow import DATABASE_VARIABLE, Airflow
    from include.local.trial_database import trial_database
    from include.supervision.spark_submit import settings_environment

    settings = get_settings()
    airflow = Airflow(settings)
    ours = airflow.environment()
    if dags_test is not None:
        ours[DATABASE_VARIABLE] = f"sqlite:///{trial_database(airflow.database, dags_test)}"
    # Who edits .env later should not find the shell insisting on the old values.
    for name in settings_environment(settings):
        ours.pop(name, None)
    typer.echo("\n".join(f"export {name}={shlex.quote(value)}" for name, value in ours.items()))


def lock() -> None:
    """Compile requirements.in into requirements.txt (for developers)."""
    import shutil
    import subprocess
    import sys

    from include.config import PROJECT_ROOT
    from include.errors import PrerequisiteError

    options = ["--quiet", "--no-header", "--annotation-style", "line", "--python-version", "3.11"]
    # run.sh takes uv from the PATH, and installs it into .venv only where there is none.
    found = shutil.which("uv")
    uv = [found] if found else [sys.executable, "-m", "uv"]
    command = [*uv, "pip", "compile", *options, "requirements.in", "-o", "requirements.txt"]
    if subprocess.run(command, cwd=PROJECT_ROOT, check=False).returncode != 0:
        raise PrerequisiteError("requirements.in could not be compiled; uv says why above")
    typer.echo("requirements.txt is compiled; the next ./run.sh installs it")


def init_infra() -> None:
    """Start Kafka and Elasticsearch only, with their topics and indices."""
    _start(Console(), (Part.KAFKA, Part.ELASTICSEARCH))


def configure_services() -> None:
    """Prepare Airflow: database, log-in, connections, pools, variables."""
    from include.config import get_settings
    from include.local.airflow import Airflow

    Airflow(get_settings()).prepare()


def deploy_processors() -> None:
    """Start Kafka, Elasticsearch and the speed layer only."""
    from include.supervision.shares import PARTS

    _start(Console(), (Part.KAFKA, Part.ELASTICSEARCH, *PARTS.values()))


def init_metrics(as_json: Annotated[bool, _JSON] = False) -> None:
    """Put index templates and make the first indices."""
    import json

    from include.config import get_settings
    from include.serving.client import connect, reachable
    from include.serving.indices import install

    settings = get_settings()
    with reachable(settings), connect(settings, timeout_seconds=60) as client:
        made = install(client)
    typer.echo(json.dumps({"made": made}) if as_json else f"made {', '.join(made) or 'nothing: all was there'}")
