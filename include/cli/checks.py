"""``test``: everything that the build machine checks, tier by tier, with a summary at the end."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

import psutil
import typer
from rich.console import Console
from rich.table import Table


class Tier(StrEnum):
    """Folders below ``tests/``."""

    UNIT = "unit"
    SPARK = "spark"
    DAGS = "dags"
    INTEGRATION = "integration"
    BROWSER = "browser"


@dataclass(frozen=True)
class Step:
    """One check.

    Attributes:
        name: Its name.
        arguments: The module that runs it, and what it is told.
        interpreted: Whether Spark's plans are interpreted rather than compiled.
    """

    name: str
    arguments: Sequence[str]
    interpreted: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a check went."""

    name: str
    code: int
    seconds: float


# Tests wait much for servers: two steps at once keep two cores busy. The longest come first, so that both ends meet.
_STEPS: Final = (
    (Tier.INTEGRATION, "integration", ("tests/integration",)),
    (Tier.SPARK, "spark, batch", ("tests/spark/batch",)),
    (Tier.DAGS, "dags, runs", ("tests/dags/test_dag_runs.py",)),
    (Tier.SPARK, "spark, others", ("tests/spark", "--ignore=tests/spark/batch")),
    (Tier.DAGS, "dags, others", ("tests/dags", "--ignore=tests/dags/test_dag_runs.py")),
    (Tier.BROWSER, "browser", ("tests/browser",)),
    (Tier.UNIT, "unit", ("tests/unit",)),
)
_AT_ONCE: Final = 2
# What two tiers need at their worst moment, with Kafka, Elasticsearch, Spark and Airflow each.
_BYTES_OF_TWO: Final = 12 * 1024**3
# A JVM of a test lives for seconds: compiling for speed, as it would do by default, takes longer than it saves.
_QUICK_START: Final = "-XX:TieredStopAtLevel=1"
_ENVIRONMENT: Final = {
    "JDK_JAVA_OPTIONS": _QUICK_START,
    # What only gets what others leave would wait for the tests beside it.
    "BACKGROUND_PRIORITY": "normal",
}
# Runs of DAGs ask whether the jobs are called and told of as they should be, each in an application of its own over few
# rows: to compile their plans takes most of the time. What the plans compute is the other tiers' question.
_INTERPRETED: Final = f"{_QUICK_START} -Dspark.sql.codegen.wholeStage=false -Dspark.sql.codegen.factoryMode=NO_CODEGEN"
_STYLE = (
    Step("lint", ("ruff", "check", ".")),
    Step("format", ("ruff", "format", "--check", ".")),
    Step("types", ("mypy",)),
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("test")(run_checks)


def run_checks(
    tiers: Annotated[list[Tier] | None, typer.Argument(help="Only these tiers; default: style checks and all.")] = None,
) -> None:
    """Run the checks and tests; every step runs, and the exit code is 1 if any failed."""
    chosen = set(tiers or Tier)
    console = Console()
    outcomes = [] if tiers else [_run(step, console) for step in _STYLE]
    steps = [
        Step(name, ("pytest", *arguments), interpreted=tier is Tier.DAGS)
        for tier, name, arguments in _STEPS
        if tier in chosen
    ]
    if len(steps) > 1 and psutil.virtual_memory().available >= _BYTES_OF_TWO:
        outcomes += _run_side_by_side(steps, console)
    else:
        outcomes += [_run(step, console) for step in steps]
    console.print(_summary(outcomes))
    if any(outcome.code for outcome in outcomes):
        raise typer.Exit(1)


def _run_side_by_side(steps: Sequence[Step], console: Console) -> list[Outcome]:
    """Run two steps at a time; the output of each comes when it has ended."""
    console.rule(f"{', '.join(step.name for step in steps)}: {_AT_ONCE} at a time")
    turn = threading.Lock()
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(lambda step: _run_quietly(step, console, turn), steps))


def _run_quietly(step: Step, console: Console, turn: threading.Lock) -> Outcome:
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        begun = time.monotonic()
        code = _call(step, output.fileno())
        seconds = time.monotonic() - begun
        output.seek(0)
        with turn:
            console.rule(step.name)
            sys.stdout.write(output.read())
            sys.stdout.flush()
    return Outcome(step.name, code, seconds)


def _run(step: Step, console: Console) -> Outcome:
    console.rule(step.name)
    begun = time.monotonic()
    return Outcome(step.name, _call(step), time.monotonic() - begun)


def _call(step: Step, output: int | None = None) -> int:
    from include.config import PROJECT_ROOT, get_settings
    from include.supervision.spark_submit import spark_environment

    environment = {**os.environ, **spark_environment(get_settings()), **_ENVIRONMENT}
    if step.interpreted:
        environment["JDK_JAVA_OPTIONS"] = _INTERPRETED
    command = [sys.executable, "-m", *step.arguments]
    stderr = None if output is None else subprocess.STDOUT
    done = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, check=False, stdout=output, stderr=stderr)
    return done.returncode


def _summary(outcomes: Sequence[Outcome]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("check")
    table.add_column("result")
    table.add_column("time", justify="right")
    for outcome in outcomes:
        result = "[green]passed[/]" if outcome.code == 0 else f"[red]failed ({outcome.code})[/]"
        table.add_row(outcome.name, result, f"{outcome.seconds:.0f} s")
    return table
