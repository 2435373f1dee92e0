"""``erase``: one person's data replaced by a pseudonym everywhere, with a certificate."""

import json
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(erase)


def erase(
    user_id: Annotated[str, typer.Argument(help="The person, as events carry it in user_id.")],
    confirm: Annotated[bool, typer.Option("--confirm", help="Erase; without it, only count.")] = False,
    reference: Annotated[str, typer.Option(help="What the request is called elsewhere, for example a ticket.")] = "-",
    certify: Annotated[str | None, typer.Option(help="Verify this erasure and complete its certificate.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Erase a person from bronze, silver, gold, dead letters and Elasticsearch; totals stay.

    Three steps: count; --confirm; and, when the streams no longer need the old files, --certify ERASURE, which
    deletes them, searches every file and index, and ends with 1 if anything is left.
    """
    from include.config import get_settings
    from include.erasure import erase as steps

    settings = get_settings()
    if certify:
        certificate = steps.certify(settings, user_id, certify)
        body = certificate.as_json()
    elif confirm:
        certificate = steps.erase(settings, user_id, reference)
        body = certificate.as_json()
    else:
        body = {"found": steps.rehearse(settings, user_id)}
    if as_json:
        typer.echo(json.dumps(body))
    else:
        for place, count in body["found"].items():
            typer.echo(f"{place:<28} {count:,}")
        if "run" not in body:
            typer.echo("Nothing was changed. To erase: the same with --confirm --reference TICKET")
        elif not certify:
            typer.echo(f"Erased. From {body['vacuum_after']} on: the same with --certify {body['run']}")
        else:
            left = (body["left_in_files"] or "no file", body["left_in_indices"] or "no index")
            typer.echo(f"{body['status']}; left in {left[0]}, {left[1]}")
    if body.get("status") == "left":
        raise typer.Exit(1)
