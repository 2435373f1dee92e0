"""``start-producer``: a simulated shop's events to Kafka."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from include.cli.values import duration, instant_ms, share

if TYPE_CHECKING:
    from include.producers.traffic import TrafficReport
    from include.simulator.options import SimulationOptions

_DAY: Final = 86_400.0
_HISTORY_TAKES: Final = 60.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("start-producer")(start_producer)


def start_producer(
    rate: Annotated[float, typer.Option(help="Events per second, 1 to 50000.")] = 50,
    run_for: Annotated[
        float | None, typer.Option("--duration", parser=duration, metavar="TIME", help="How long, as 90s, 5m or 2h.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, start and options: same events, byte for byte.")] = 1,
    start: Annotated[
        int | None, typer.Option(parser=instant_ms, metavar="ISO-TIME", help="Time of the first event. Default: now.")
    ] = None,
    days: Annotated[
        float | None,
        typer.Option(min=0.01, help="Make this many days of history that end now, within the duration (1m)."),
    ] = None,
    acceleration: Annotated[float, typer.Option(help="Seconds of the shop's time per second.")] = 1,
    customers: Annotated[int | None, typer.Option(help="Size of the customer base. Default: by the rate.")] = None,
    rhythm: Annotated[
        bool | None,
        typer.Option("--rhythm/--no-rhythm", help="Traffic by hour and weekday. Default: only where time is not now."),
    ] = None,
    fraud: Annotated[float, typer.Option(parser=share, metavar="SHARE", help="Visits that are fraud cases.")] = 0.002,
    late: Annotated[float, typer.Option(parser=share, metavar="SHARE", help="Visits that arrive late.")] = 0.0,
    duplicates: Annotated[float, typer.Option(parser=share, metavar="SHARE", help="Events that are sent twice.")] = 0.0,
    out_of_order: Annotated[
        float, typer.Option(parser=share, metavar="SHARE", help="Events that come after younger ones.")
    ] = 0.0,
    invalid: Annotated[
        float, typer.Option(parser=share, metavar="SHARE", help="Events that break their contract.")
    ] = 0.0,
    truth: Annotated[
        Path | None, typer.Option(help="Folder for the truth: Parquet files with each event, its label and faults.")
    ] = None,
    unpaced: Annotated[bool, typer.Option("--unpaced", help="Send as fast as the broker takes it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON, and no progress.")] = False,
) -> None:
    """Run the simulated shop: customers, orders, stock, reviews and fraud, sent to Kafka.

    Ends after its duration, or on Ctrl-C or SIGTERM: then it waits for the broker's acknowledgements and writes the
    rest of the truth. While the broker is away it waits. Exit code 1: some events were not acknowledged.
    """
    from include.config import get_settings
    from include.messaging.topics import create_topics
    from include.producers.sender import Sender
    from include.producers.stopping import stop_on_signals
    from include.producers.traffic import Traffic
    from include.simulator.truth import TruthWriter

    if days is not None and (start is not None or acceleration != 1):
        raise typer.BadParameter("--days sets the start and the acceleration itself; leave --start and --acceleration")
    options = _options(
        rate, run_for, start, days, acceleration, rhythm,
        seed=seed, customers=customers, fraud=fraud, late=late, duplicates=duplicates, out_of_order=out_of_order,
        invalid=invalid,
    )  # fmt: skip
    settings = get_settings()
    with stop_on_signals() as stopped:
        sender = Sender(settings, stopped)
        sender.connect()
        create_topics(settings)
        writer = TruthWriter(truth) if truth else None
        traffic = Traffic(
            options,
            sender,
            writer,
            stopped,
            _silent if as_json else _progress,
            from_now=start is None and days is None,
            paced=not unpaced,
        )
        report = traffic.run()
    _print_summary(report, truth, as_json)
    if report.failed:
        raise typer.Exit(1)


def _options(
    rate: float,
    run_for: float | None,
    start: int | None,
    days: float | None,
    acceleration: float,
    rhythm: bool | None,
    **others: float | int | None,
) -> "SimulationOptions":
    from include.simulator.options import SimulationOptions

    now = time.time_ns() // 1_000_000
    if days is not None:
        run_for = run_for or _HISTORY_TAKES
        acceleration = days * _DAY / run_for
        start = now - round(days * _DAY * 1000)
    return SimulationOptions(
        start_ms=now if start is None else start,
        rate=rate,
        duration=run_for,
        acceleration=acceleration,
        rhythm=acceleration != 1 if rhythm is None else rhythm,
        **others,  # type: ignore[arg-type]
    )


def _silent(report: "TrafficReport") -> None:
    """JSON output stays JSON."""


def _progress(report: "TrafficReport") -> None:
    line = (
        f"{report.seconds:7.0f} s  {report.sent:>12,} sent  {report.rate:>9,.0f}/s  "
        f"{report.acknowledged:>12,} acknowledged  p99 {_p99(report)} ms"
    )
    typer.echo(f"\r{line}", nl=False, err=True)


def _p99(report: "TrafficReport") -> str:
    p99 = report.latency.percentile_ms(99)
    return "-" if p99 is None else f"{p99:,.1f}"


def _print_summary(report: "TrafficReport", truth: Path | None, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({**report.as_json(), "truth": str(truth) if truth else None}))
        return
    typer.echo("", err=True)
    typer.echo(
        f"{report.sent:,} events sent in {report.seconds:.1f} s ({report.rate:,.0f}/s): "
        f"{report.acknowledged:,} acknowledged, {report.failed:,} not, 99 of 100 within {_p99(report)} ms"
    )
    if truth:
        typer.echo(f"The truth about them is in {truth}.")
