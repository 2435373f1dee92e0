"""``recommend`` and ``train-recommendations``: what customers are shown, and where it comes from."""

import json
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="For programs: JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(recommend)
    app.command()(train_recommendations)


def recommend(
    user: Annotated[str | None, typer.Option(help="What this user is shown.")] = None,
    product: Annotated[str | None, typer.Option(help="What is shown beside this product.")] = None,
    viewed: Annotated[
        list[str] | None, typer.Option(help="Product just viewed; give it again for more, the newest first.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show what is recommended now, ranked anew by what the user looked at in the last half hour."""
    from rich.console import Console
    from rich.table import Table

    from include.config import get_settings
    from include.recommendations.asking import recommend as ask
    from include.serving.client import connect, reachable

    if bool(user) == bool(product):
        raise typer.BadParameter("give --user or --product")
    settings = get_settings()
    with reachable(settings), connect(settings) as client:
        found = ask(client, "user" if user else "product", user or product or "", viewed or [], limit)
    if as_json:
        typer.echo(json.dumps(found))
        return
    table = Table("Product", "Category", "Score", "Because")
    for item in found["items"]:
        table.add_row(item["product_id"], item.get("category") or "", f"{item['score']:.4f}", item.get("reason") or "")
    Console().print(table)
    whose = f"{found['kind']} {found['subject']}" if found["personal"] else "everybody: nothing is known of it yet"
    typer.echo(f"For {whose}; model {found['model_version']}, data until {found['data_until']}.")


def train_recommendations(
    days: Annotated[int, typer.Option(min=1, max=3660, help="How many days back customers' deeds count.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Train on silver, compare with popularity on what came later, and publish when it is clearly better."""
    from include.config import get_settings
    from include.recommendations.publishing import train

    result = train(get_settings(), days)
    if as_json:
        typer.echo(json.dumps(result))
        return
    for model in ("personal", "popular"):
        if model in result:
            figures = result[model]
            typer.echo(
                f"{model:<9} recall@10 {figures['recall']:.3f}  hit rate@10 {figures['hit_rate']:.3f}  "
                f"coverage {figures['coverage']:.3f}"
            )
    shown = f"published {result['publish']} as {result.get('index')}" if result["publish"] else "not published"
    typer.echo(f"{shown}: {result['reason']}")
