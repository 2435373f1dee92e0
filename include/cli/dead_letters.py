"""``dead-letters``: see what was refused, repair it by rules, send it again, with a receipt."""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from include.dead_letters.letter import Letter, Selection
    from include.dead_letters.receipt import Receipt

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Topics = Annotated[list[str] | None, typer.Option("--topic", help="Only of this topic; may be given again.")]
Reasons = Annotated[list[str] | None, typer.Option("--reason", help="Only refused for this; may be given again.")]
Since = Annotated[str | None, typer.Option(help="Only taken by Kafka since, for example 2026-11-24T12:00:00Z.")]
Until = Annotated[str | None, typer.Option(help="Only taken by Kafka before.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many, the oldest first.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    letters = typer.Typer(help="Refused events: list, show, repair and replay, report.", no_args_is_help=True)
    letters.command("list")(_list)
    letters.command("show")(_show)
    letters.command("replay")(_replay)
    letters.command("report")(_report)
    app.add_typer(letters, name="dead-letters")


def _selection(**chosen: Any) -> "Selection":
    from include.dead_letters.letter import selection_from
    from include.errors import ConfigurationError

    try:
        return selection_from(chosen)
    except ConfigurationError as error:
        raise typer.BadParameter(str(error)) from error


def _list(
    topic: Topics = None,
    reason: Reasons = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List refused events, the oldest first, and what a replay made of them."""
    from include.config import get_settings
    from include.dead_letters.lake import SparkLake
    from include.dead_letters.ledger import Ledger

    settings = get_settings()
    chosen = _selection(topics=topic, reasons=reason, since=since, until=until, limit=limit)
    outcomes = Ledger(settings).outcomes()
    rows = [
        {**_row(letter), "replay": outcomes.get(letter.place, "")} for letter in SparkLake(settings).letters(chosen)
    ]
    if as_json:
        typer.echo(json.dumps(rows))
    else:
        _print_table(["place", "time", "reason", "field", "expected", "found", "replay"], rows)
        typer.echo(f"{len(rows)} letters. One of them: python main.py dead-letters show PLACE")


def _row(letter: "Letter") -> dict[str, str]:
    return {
        "place": str(letter.place),
        "time": letter.kafka_time.isoformat(timespec="seconds"),
        "reason": letter.reason,
        "field": letter.field,
        "expected": letter.expected,
        "found": letter.found,
    }


def _show(
    place: Annotated[str, typer.Argument(help="topic-partition-offset, as the list shows it.")], as_json: AsJson = False
) -> None:
    """Show one refused event; values that are personal, or that its contract does not know, are masked."""
    from include.config import get_settings
    from include.dead_letters.lake import SparkLake
    from include.dead_letters.ledger import Ledger
    from include.dead_letters.masking import shown
    from include.errors import PlatformError

    settings = get_settings()
    chosen = _selection(places=[place])
    letter = next(SparkLake(settings).letters(chosen), None)
    if letter is None:
        raise PlatformError(f"no refused event at {place}: see python main.py dead-letters list")
    outcome = Ledger(settings).outcomes().get(letter.place, "never replayed")
    facts = {
        **_row(letter),
        "contract": letter.contract or "none",
        "value": shown(letter.value, letter.topic),
        "replay": str(outcome),
    }
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        typer.echo("\n".join(f"{name:<9} {text}" for name, text in facts.items()))


def _replay(
    rules: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="YAML file with rules that repair the events.")
    ] = None,
    topic: Topics = None,
    reason: Reasons = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    place: Annotated[list[str] | None, typer.Option(help="Only this letter; may be given again.")] = None,
    rehearse: Annotated[bool, typer.Option("--dry-run", help="Count and show samples, send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Repair refused events and send them again; what is there already is not sent. Run twice, it changes nothing.

    Without rules it sends what keeps its contract by now. Rules: set, rename, cast, default, drop; see
    include/dead_letters/patches.py.
    """
    from include.config import get_settings
    from include.dead_letters.kafka import KafkaShop
    from include.dead_letters.lake import SparkLake
    from include.dead_letters.patches import read_rules
    from include.dead_letters.replay import Replay
    from include.dead_letters.telling import tell

    settings = get_settings()
    chosen = _selection(topics=topic, reasons=reason, since=since, until=until, limit=limit, places=place)
    text = rules.read_text(encoding="utf-8") if rules else ""
    checked = read_rules(text, str(rules)) if rules else ()
    replay = Replay(settings, SparkLake(settings), KafkaShop(settings))
    name = rules.name if rules else "none"
    receipt = replay.run(chosen, checked, text, name=name, rehearse=rehearse)
    path = tell(settings, receipt)
    if as_json:
        typer.echo(json.dumps({**asdict(receipt), "receipt": str(path)}))
    else:
        _print_receipt(receipt, path)


def _print_receipt(receipt: "Receipt", path: Path) -> None:
    outcomes = ("repaired", "already_present", "still_refused")
    rows = [
        {"reason": reason, **{name: str(counts.get(name, 0)) for name in outcomes}}
        for reason, counts in sorted(receipt.by_reason.items())
    ]
    _print_table(["reason", *outcomes], rows)
    for sample in receipt.samples:
        typer.echo(f"{sample['place']} (rules {sample['rules']})\n  - {sample['before']}\n  + {sample['after']}")
    still = Counter((one["reason"], one["field"], one["expected"]) for one in receipt.refused).most_common(10)
    for (reason, field, expected), count in still:
        typer.echo(f"still refused: {count} of {reason}{f' at {field}' if field else ''}, expected {expected}")
    typer.echo(f"{receipt.in_words()}\nreceipt: {path}")


def _report(as_json: AsJson = False) -> None:
    """Count refused events by reason and by what a replay made of them, and list the receipts."""
    from include.config import get_settings
    from include.dead_letters.lake import SparkLake
    from include.dead_letters.ledger import Ledger
    from include.dead_letters.receipt import receipts

    settings = get_settings()
    outcomes = Ledger(settings).outcomes()
    counts: Counter[tuple[str, str, str]] = Counter(
        (letter.place.topic, letter.reason, str(outcomes.get(letter.place, "open")))
        for letter in SparkLake(settings).letters(_selection())
    )
    rows = [
        {"topic": topic, "reason": reason, "state": state, "letters": str(count)}
        for (topic, reason, state), count in sorted(counts.items())
    ]
    done = receipts(settings)
    if as_json:
        typer.echo(json.dumps({"letters": rows, "receipts": [asdict(receipt) for receipt in done]}))
        return
    _print_table(["topic", "reason", "state", "letters"], rows)
    for receipt in done:
        typer.echo(f"{receipt.run}{' (dry run)' if receipt.is_rehearsal else ''}: {receipt.in_words()}")


def _print_table(columns: list[str], rows: list[dict[str, str]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table()
    for name in columns:
        # What is copied into the next command is never cut.
        table.add_column(name, no_wrap=name == "place", overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(row[name])) for name in columns))
    Console().print(table)
