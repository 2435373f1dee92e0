"""Commands for what is downloaded: jars and the Elasticsearch distribution."""

from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn


def register(app: typer.Typer) -> None:
    """Add ``artifacts fetch`` and ``artifacts lock``."""
    group = typer.Typer(help="Pinned jars and servers: fetch them, pin them anew.", no_args_is_help=True)
    group.command()(fetch)
    group.command()(lock)
    app.add_typer(group, name="artifacts")


def fetch(
    link: Annotated[bool, typer.Option(help="Link Spark's jars into this environment's pyspark.")] = True,
) -> None:
    """Download what is missing, verify it, and make Spark's jars known to pyspark."""
    from include.config import get_settings
    from include.local.artifacts import ArtifactCache
    from include.local.judge_jar import build_judge_jar
    from include.supervision.spark_submit import spark_home

    settings = get_settings()
    cache = ArtifactCache(settings)
    total = sum(artifact.size for artifact in cache.missing())
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), transient=True, disable=not total) as bars:
        task = bars.add_task("Jars and Elasticsearch", total=total)
        cache.fetch(lambda count: bars.advance(task, count))
    if link:
        jars = spark_home() / "jars"
        cache.install_spark_jars(jars, build_judge_jar(settings, jars))


def lock() -> None:
    """Resolve the newest files of the pinned versions and write their checksums (for developers)."""
    from include.local.artifacts_lock import resolve

    artifacts = resolve()
    typer.echo(f"{len(artifacts)} files pinned, {sum(a.size for a in artifacts) / 1e6:.0f} MB")
