"""``test``: everything that the build machine checks, tier by tier, with a summary at the end."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table


class Tier(StrEnum):
    """Folders below ``tests/``, in the order in which they run: what fails fast comes first."""

    UNIT = "unit"
    SPARK = "spark"
    DAGS = "dags"
    INTEGRATION = "integration"
    BROWSER = "browser"


@dataclass(frozen=True)
class Step:
    """One check: its name and the module that runs it."""

    name: str
    arguments: Sequence[str]


@dataclass(frozen=True)
class Outcome:
    """How a check went."""

    name: str
    code: int
    seconds: float


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
    from include.config import PROJECT_ROOT

    chosen = [tier for tier in Tier if tier in tiers] if tiers else list(Tier)
    # A tier without a folder is not built yet in this checkout.
    present = [tier for tier in chosen if (PROJECT_ROOT / "tests" / tier).is_dir()]
    steps = [*(() if tiers else _STYLE), *(Step(tier, ("pytest", f"tests/{tier}")) for tier in present)]
    console = Console()
    outcomes = [_run(step, console) for step in steps]
    console.print(_summary(outcomes))
    if any(outcome.code for outcome in outcomes):
        raise typer.Exit(1)


def _run(step: Step, console: Console) -> Outcome:
    from include.config import PROJECT_ROOT, get_settings
    from include.supervision.spark_submit import spark_environment

    console.rule(step.name)
    begun = time.monotonic()
    environment = {**os.environ, **spark_environment(get_settings())}
    command = [sys.executable, "-m", *step.arguments]
    code = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, check=False).returncode
    return Outcome(step.name, code, time.monotonic() - begun)


def _summary(outcomes: Sequence[Outcome]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("check")
    table.add_column("result")
    table.add_column("time", justify="right")
    for outcome in outcomes:
        result = "[green]passed[/]" if outcome.code == 0 else f"[red]failed ({outcome.code})[/]"
        table.add_row(outcome.name, result, f"{outcome.seconds:.0f} s")
    return table
