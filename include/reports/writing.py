"""From figures to a report: which sections it has and what they say."""

from datetime import UTC, datetime

from include.reports.document import Chart, Grid, Report, Section, Text
from include.reports.figures import Figures, Spread, Totals
from include.reports.period import Length
from include.serving.answers import money

_NONE = "\u2013"


def report_of(figures: Figures) -> Report:
    """The report on a period."""
    kind = figures.period.length.value.capitalize()
    return Report(
        name=figures.period.name,
        title=f"{kind} report: {figures.period.title}",
        highlights=_highlights(figures),
        sections=(
            _sales(figures),
            _products(figures),
            _fraud(figures),
            _quality(figures),
            _speed(figures),
            _handovers(figures),
        ),
    )


def change(now: float, before: float) -> str:
    """How a figure moved, for people."""
    if not before:
        return "new" if now else _NONE
    return f"{(now - before) / before:+.1%}"


def _share(value: float | None) -> str:
    return _NONE if value is None else f"{value:.1%}"


def _money(cents: int, currency: str) -> str:
    whole, _, rest = money(cents).partition(".")
    return f"{int(whole):,}.{rest} {currency}"


def _revenue(totals: Totals, currency: str) -> int:
    return totals.sales[currency].revenue if currency in totals.sales else 0


def _highlights(figures: Figures) -> dict[str, str]:
    now, before, currency = figures.now, figures.before, figures.now.currency
    found: dict[str, str] = {}
    if currency:
        revenue = _revenue(now, currency)
        found["Revenue"] = f"{_money(revenue, currency)} ({change(revenue, _revenue(before, currency))})"
    found["Orders"] = f"{now.orders:,} ({change(now.orders, before.orders)})"
    found["Conversion"] = f"{_share(now.conversion)} (before {_share(before.conversion)})"
    if figures.products:
        found["Best product"] = f"{figures.products[0].product}, {figures.products[0].items:,} pieces"
    found["Suspected fraud"] = f"{sum(figures.fraud.values()):,}"
    bad = [verdict for verdict in figures.verdicts if verdict.failures]
    found["Data quality"] = f"{len(bad)} of {len(figures.verdicts)} tables break a promise" if bad else "in order"
    refused = sum(1 for one in figures.handovers if one["status"] != "ok")
    found["Handovers"] = f"{len(figures.handovers)}, refused {refused}"
    return found


def _sales(figures: Figures) -> Section:
    now, before = figures.now, figures.before
    rows = [
        ("Events", f"{now.events:,}", f"{before.events:,}", change(now.events, before.events)),
        ("Sessions", f"{now.sessions:,}", f"{before.sessions:,}", change(now.sessions, before.sessions)),
        ("Orders", f"{now.orders:,}", f"{before.orders:,}", change(now.orders, before.orders)),
        ("Conversion", _share(now.conversion), _share(before.conversion), ""),
    ]
    for name in sorted({*now.sales, *before.sales}):
        then, was = _revenue(now, name), _revenue(before, name)
        rows.append((f"Revenue {name}", _money(then, name), _money(was, name), change(then, was)))
    parts: list[Text | Grid | Chart] = [Grid(("", "now", "before", "change"), tuple(rows))]
    currency = now.currency
    if currency:
        labels = tuple(_label(figures, start) for start, _, _ in figures.points)
        revenue = tuple(found.get(currency, 0) / 100 for _, _, found in figures.points)
        parts.append(Chart(f"Revenue in {currency}", "columns", labels, revenue))
        parts.append(Chart("Orders", "columns", labels, tuple(float(orders) for _, orders, _ in figures.points)))
    else:
        parts.append(Text("Nothing was sold."))
    return Section("Sales", tuple(parts))


def _label(figures: Figures, start: float) -> str:
    moment = datetime.fromtimestamp(start, UTC)
    return f"{moment:%a %d}" if figures.period.length is Length.WEEKLY else f"{moment:%H:%M}"


def _products(figures: Figures) -> Section:
    if not figures.products:
        return Section("Products", (Text("Nothing was sold."),))
    rows = tuple(
        (
            one.product,
            f"{one.items:,}",
            ", ".join(_money(cents, currency) for currency, cents in sorted(one.revenue.items())),
        )
        for one in figures.products
    )
    names, pieces = tuple(one.product for one in figures.products), tuple(float(one.items) for one in figures.products)
    return Section("Products", (Chart("Pieces sold", "bars", names, pieces), Grid(("", "pieces", "revenue"), rows)))


def _fraud(figures: Figures) -> Section:
    if not figures.fraud:
        return Section("Fraud", (Text("Nothing was suspected."),))
    names = tuple(rule.replace("_", " ") for rule in figures.fraud)
    return Section("Fraud", (Chart("Suspicions", "bars", names, tuple(float(n) for n in figures.fraud.values())),))


def _quality(figures: Figures) -> Section:
    if not figures.verdicts:
        return Section("Data quality", (Text("No table was checked yet."),))
    rows = tuple(
        (
            verdict.table.value,
            verdict.status,
            f"{verdict.rows:,}",
            f"{verdict.expectations - len(verdict.failures)} of {verdict.expectations}",
            f"{datetime.fromisoformat(verdict.checked_at):%d %b %H:%M}",
        )
        for verdict in figures.verdicts
    )
    broken = tuple(Text(f"{verdict.table}: {failure}") for verdict in figures.verdicts for failure in verdict.failures)
    return Section("Data quality", (Grid(("", "state", "rows", "kept", "checked"), rows), *broken))


def _speed(figures: Figures) -> Section:
    def row(name: str, spread: Spread, unit: str) -> tuple[str, ...]:
        found = (spread.median, spread.p99, spread.largest)
        return (name, *(_NONE if value is None else f"{value:,.0f}{unit}" for value in found), f"{spread.count:,}")

    rows = (
        row("Micro-batch of the live query", figures.batch_ms, " ms"),
        row("Records not read yet", figures.lag, ""),
        row("Age of the newest numbers", figures.age_seconds, " s"),
    )
    looks = sum(figures.streams.values())
    well = figures.streams.get("ok", 0)
    streams = (
        f"Streams were well in {well / looks:.2%} of {looks:,} looks." if looks else "Nobody looked at the streams."
    )
    alerts = ", ".join(f"{count} {severity}" for severity, count in sorted(figures.alerts.items())) or "none"
    return Section(
        "Latency and freshness",
        (Grid(("", "median", "p99", "largest", "looks"), rows), Text(streams), Text(f"New alerts: {alerts}.")),
    )


def _handovers(figures: Figures) -> Section:
    if not figures.handovers:
        return Section("Handovers", (Text("There was none."),))
    rows = tuple(
        (
            f"{datetime.fromisoformat(one['time']):%d %b %H:%M}",
            one["subject"],
            "done" if one["status"] == "ok" else "refused",
            f"{one['metrics'].get('lambda_drift_ratio', 0):.6f}",
        )
        for one in figures.handovers
    )
    return Section("Handovers", (Grid(("", "run", "result", "drift"), rows),))
