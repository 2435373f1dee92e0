"""``contracts``: the events' contracts, compared, described, and added to."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    contracts = typer.Typer(help="Event contracts: list, check, describe, add to them.", no_args_is_help=True)
    contracts.command("list")(_list)
    contracts.command("check")(_check)
    contracts.command("docs")(_docs)
    contracts.command("generate")(_generate)
    contracts.command("new")(_new)
    contracts.command("example")(_example)
    app.add_typer(contracts, name="contracts")


def _list(as_json: AsJson = False) -> None:
    """Show each contract: topic, key, event types, which fields are personal."""
    from include.contracts.fields import fields_of
    from include.contracts.registry import load_contracts

    rows = [
        {
            "contract": f"{contract.name}.v{contract.version}",
            "topic": contract.topic.value,
            "key": contract.key_field,
            "event_types": contract.schema["properties"]["event_type"]["enum"],
            "fields": len(fields_of(contract.schema)),
            "personal": [
                field.name for field in fields_of(contract.schema) if field.personal and field.kind != "object"
            ],
        }
        for contract in load_contracts()
    ]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("contract", "topic", "key", "event types", "fields", "personal")
    for row in rows:
        cells = (row[name] for name in ("contract", "topic", "key", "event_types", "fields", "personal"))
        table.add_row(*(", ".join(cell) if isinstance(cell, list) else str(cell) for cell in cells))
    Console().print(table)


def _check(
    old: Annotated[str, typer.Argument(help="A contract as it was: a file, or a name as purchase.v1.")],
    new: Annotated[str, typer.Argument(help="As it is to be.")],
    as_json: AsJson = False,
) -> None:
    """Say whether events of the old contract keep the new one, and tables their columns; exit code 1 when not."""
    from include.contracts.compatibility import compare, is_compatible

    changes = compare(_schema(old), _schema(new))
    compatible = is_compatible(changes)
    if as_json:
        listed = [{"field": one.field, "change": one.what, "breaks": one.breaks or None} for one in changes]
        typer.echo(json.dumps({"compatible": compatible, "changes": listed}))
    else:
        for change in changes:
            typer.echo(f"{'breaks' if change.breaks else 'fine  '}  {change}")
        typer.echo(
            f"{new} takes every event of {old}, and keeps its columns."
            if compatible
            else f"{new} breaks events or readers of {old}: write it as a further version beside it."
        )
    if not compatible:
        raise typer.Exit(1)


def _schema(name: str) -> "Mapping[str, Any]":
    from include.contracts.registry import load_contracts

    for contract in load_contracts():
        if name == f"{contract.name}.v{contract.version}":
            return contract.schema
    path = Path(name)
    if not path.is_file():
        known = ", ".join(f"{contract.name}.v{contract.version}" for contract in load_contracts())
        raise typer.BadParameter(f"{name} is neither a file nor one of {known}")
    try:
        schema: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        schema["properties"]["event_type"], schema["required"]
    except (ValueError, KeyError, TypeError) as error:
        raise typer.BadParameter(f"{name} is no contract: {error!r}") from error
    return schema


def _docs() -> None:
    """Write the reference page docs/events.md."""
    from include.contracts.reference import PAGE, write_page

    typer.echo(f"{PAGE.name}: {'written' if write_page() else 'nothing to change'}")


def _generate() -> None:
    """Write all that comes from the contracts: the suites' structure, the fields of the index, docs/events.md."""
    from include.contracts.derived import generate

    changed = generate()
    typer.echo(f"changed {', '.join(changed)}" if changed else "nothing to change")


def _example(
    event_type: Annotated[str, typer.Argument(help="For example order_placed.")],
    whole: Annotated[bool, typer.Option("--whole", help="With every field.")] = False,
) -> None:
    """Print an event that keeps its contract."""
    from include.contracts.example import example
    from include.contracts.registry import load_contracts

    for contract in reversed(load_contracts()):
        if event_type in contract.schema["properties"]["event_type"]["enum"]:
            typer.echo(json.dumps(example(contract, event_type, whole=whole)))
            return
    raise typer.BadParameter(f"no contract has the event type {event_type}: see python main.py contracts list")


def _new(
    name: Annotated[str, typer.Argument(help="The event type, for example wishlist_added.")],
    family: Annotated[str | None, typer.Option(help="The family that it belongs to, for example user_event.")] = None,
    topic: Annotated[str | None, typer.Option(help="Or the topic of a new family, for example wishlists.")] = None,
    key: Annotated[str, typer.Option(help="Of a new family: the field whose value is the Kafka key.")] = "user_id",
    field: Annotated[
        list[str] | None,
        typer.Option(
            help="A new field, NAME:KIND; kinds: id person text integer number boolean money currency country."
        ),
    ] = None,
    needs: Annotated[list[str] | None, typer.Option(help="A field that the event cannot be without.")] = None,
) -> None:
    """Add an event type to everything that knows events; changes files of the repository, or none at all."""
    from include.contracts.adding import add
    from include.contracts.scaffold import NewFamily, as_family, in_family

    if (family is None) == (topic is None):
        raise typer.BadParameter("give --family for a family that exists, or --topic for a new one")
    fields = dict(_split(one) for one in field or ())
    if family is not None:
        files = in_family(family, name, fields, needs or [])
    else:
        new = NewFamily(name=str(topic).replace("-", "_").removesuffix("s"), topic=str(topic), key=key)
        files = as_family(new, name, fields, needs or [])
    changed = add(files)
    typer.echo("\n".join(f"changed {path}" for path in changed))
    typer.echo(
        f"A valid event: python main.py contracts example {name}\nNext: complete the descriptions, let the simulator "
        f"send it (include/simulator/), run ./run.sh test unit spark, restart the platform."
    )


def _split(text: str) -> tuple[str, str]:
    name, mark, kind = text.partition(":")
    if not mark or not name or not kind:
        raise typer.BadParameter(f"--field {text!r}: write NAME:KIND, for example note:text")
    return name, kind
