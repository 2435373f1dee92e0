"""The key figures for people: a screen of tables."""

from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from include.serving.activity import USER_SPANS
from include.serving.answers import money
from include.serving.kpis import Kpis, Minute

# Numbers of the speed layer that are older are worth a warning: the target is a minute.
STALE_SECONDS: Final = 60
_SHOWN_MINUTES: Final = 15
_BARS: Final = "▁▂▃▄▅▆▇█"


def screen(kpis: Kpis) -> RenderableType:
    """All of it, for a terminal."""
    return Group(_heading(kpis), "", _figures(kpis), "", _sales(kpis), "", _minutes(kpis), "", _freshness(kpis))


def nothing_yet(kpis: Kpis) -> str | None:
    """Why there is nothing to show; None when there is."""
    if kpis.counts["events"]:
        return None
    if kpis.freshness.processed_at is None:
        return (
            "No event has been counted yet. Send some with: python main.py start-producer; "
            "if they flow already, see python main.py status"
        )
    newest = kpis.freshness.newest_event
    return (
        f"No event in the last {kpis.minutes:.0f} minutes. The newest is of {newest:%Y-%m-%d %H:%M:%S} UTC."
        if newest
        else f"No event in the last {kpis.minutes:.0f} minutes."
    )


def _heading(kpis: Kpis) -> Text:
    return Text.assemble(
        ("Key figures ", "bold"),
        f"{kpis.since:%Y-%m-%d %H:%M} to {kpis.until:%H:%M:%S} UTC ({kpis.minutes:.1f} minutes)",
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _figures(kpis: Kpis) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 0))
    users = [f"{kpis.activity.users[span]:,}" for span in USER_SPANS]
    columns = {
        "Orders": f"{kpis.counts['orders']:,}",
        "Events": f"{kpis.counts['events']:,}",
        f"Active users {'/'.join(map(str, USER_SPANS))} min": " / ".join(users),
        "Conversion": _percent(kpis.activity.conversion_rate),
        "Cart abandonment": _percent(kpis.activity.cart_abandonment_rate),
    }
    for name in columns:
        table.add_column(name, justify="right")
    table.add_row(*columns.values(), style="bold")
    return table


def _sales(kpis: Kpis) -> Table:
    table = Table(title="Sales by currency", title_justify="left")
    for name in ("Currency", "Orders", "Items", "Revenue", "per minute", "Average order", "Returned", "Refunded"):
        table.add_column(name, justify="left" if name == "Currency" else "right")
    for currency, sums in kpis.sales.items():
        average = sums.average_order_minor
        table.add_row(
            currency,
            f"{sums.orders:,}",
            f"{sums.items:,}",
            money(sums.revenue_minor),
            money(round(kpis.sales_per_minute_minor(currency))),
            "-" if average is None else money(average),
            f"{sums.returns:,}",
            money(sums.refunded_minor),
        )
    return table


def _bar(minute: Minute, most: int) -> str:
    return _BARS[round((len(_BARS) - 1) * minute.orders / most)] if most and minute.orders else " "


def _minutes(kpis: Kpis) -> Table:
    shown = kpis.series[-_SHOWN_MINUTES:]
    most = max((minute.orders for minute in shown), default=0)
    table = Table(title="Sales per minute", title_justify="left")
    for name in ("Minute", "Events", "Orders", "", *kpis.sales):
        table.add_column(name, justify="left" if name == "Minute" else "right")
    for minute in shown:
        sales = [money(minute.revenue_minor.get(currency, 0)) for currency in kpis.sales]
        running = "…" if minute is kpis.series[-1] else ""
        table.add_row(
            f"{minute.start:%H:%M}{running}", f"{minute.events:,}", f"{minute.orders:,}", _bar(minute, most), *sales
        )
    return table


def _freshness(kpis: Kpis) -> Text:
    fresh = kpis.freshness
    age = fresh.age_seconds(kpis.until)
    if age is None:
        return Text("No numbers yet.", style="yellow")
    complete = f"{fresh.complete_up_to:%H:%M:%S} UTC" if fresh.complete_up_to else "unknown"
    layers = ", ".join(f"{layer} ({moment:%Y-%m-%d %H:%M:%S})" for layer, moment in fresh.layers.items())
    return Text.assemble(
        ("Fresh ", "bold"),
        (f"computed {age:.1f} s ago", "green" if age <= STALE_SECONDS else "red"),
        ("  Complete ", "bold"),
        f"with what arrived until {complete}",
        ("  Layers ", "bold"),
        layers,
    )
