"""A report from literal figures, in both formats."""

from datetime import UTC, date, datetime
from xml.etree import ElementTree

import pytest

from include.alerting.alert import Alert, Kind, Severity
from include.alerting.incidents import State, listed
from include.alerting.intake import Intake
from include.alerting.routing import load_routing
from include.alerting.store import connection
from include.config import Settings
from include.names import Table
from include.orchestration.reports import chosen
from include.quality.suite import Severity as OfExpectation
from include.quality.verdict import Failure, Verdict
from include.reports.charts import nice_ceiling, number, svg
from include.reports.document import Chart, Grid, Report, Section, Text
from include.reports.figures import Figures, Product, Sales, Spread, Totals
from include.reports.period import Length, Period
from include.reports.rendering import html, markdown
from include.reports.writing import change, report_of

DAY = Period(Length.DAILY, date(2026, 11, 24))


def figures(**changes: object) -> Figures:
    start = DAY.since.timestamp()
    failure = Failure("values_to_be_unique(event_id)", OfExpectation.WARNING, "2 of 20 rows")
    found = {
        "period": DAY,
        "now": Totals(900, 30, 100, 50, {"EUR": Sales(25, 1_234_567, 0), "USD": Sales(5, 9_900, 900)}),
        "before": Totals(800, 20, 100, 40, {"EUR": Sales(20, 1_000_000, 0)}),
        "points": [(start, 10, {"EUR": 1_000_000}), (start + 3_600, 20, {"EUR": 234_567, "USD": 9_900})],
        "products": [Product("p-1", 12, {"EUR": 100_050, "USD": 900})],
        "fraud": {"card_testing": 3},
        "verdicts": [
            Verdict(Table.SILVER_PURCHASES, "2026-11-24T05:00:00+00:00", (), 20, False, 1, 30, (failure,), "x")
        ],
        "batch_ms": Spread(10, 250.0, 900.4, 1_200.0),
        "age_seconds": Spread(0, None, None, None),
        "lag": Spread(10, 0.0, 40.0, 90.0),
        "handovers": [
            {"time": "2026-11-24T01:35:00Z", "subject": "000001", "status": "ok", "metrics": {}},
            {"time": "2026-11-24T02:35:00Z", "subject": "000002", "status": "failed", "metrics": {}},
        ],
        "streams": {"ok": 99, "failed": 1},
        "alerts": {"critical": 1},
        **changes,
    }
    return Figures(**found)  # type: ignore[arg-type]


def test_the_highlights_compare_with_the_day_before_and_never_sum_currencies() -> None:
    report = report_of(figures())

    assert (report.name, report.title) == ("daily-2026-11-24", "Daily report: Tuesday, 24 November 2026")
    assert report.highlights == {
        "Revenue": "12,345.67 EUR (+23.5%)",
        "Orders": "30 (+50.0%)",
        "Conversion": "30.0% (before 20.0%)",
        "Best product": "p-1, 12 pieces",
        "Suspected fraud": "3",
        "Data quality": "1 of 1 tables break a promise",
        "Handovers": "2, refused 1",
    }


def test_markdown_says_everything_in_words_and_tables() -> None:
    text = markdown(report_of(figures()))

    assert text.startswith("# Daily report: Tuesday, 24 November 2026\n")
    for line in (
        "| Revenue USD | 99.00 USD | 0.00 USD | new |",
        "| 00:00 | 10,000 |",
        "| p-1 | 12 | 1,000.50 EUR, 9.00 USD |",
        "| card testing | 3 |",
        "| silver.purchases | degraded | 20 | 29 of 30 | 24 Nov 05:00 |",
        "| Micro-batch of the live query | 250 ms | 900 ms | 1,200 ms | 10 |",
        "| Age of the newest numbers | \u2013 | \u2013 | \u2013 | 0 |",
        "Streams were well in 99.00% of 100 looks.",
        "| 24 Nov 02:35 | 000002 | refused | 0.000000 |",
    ):
        assert f"{line}\n" in text, line


def test_html_is_one_page_with_charts_and_nothing_from_elsewhere() -> None:
    page = html(report_of(figures()))

    drawings = [f"<svg{part.split('</svg>')[0]}</svg>" for part in page.split("<svg")[1:]]
    assert len(drawings) == 4
    for drawing in drawings:
        assert len(ElementTree.fromstring(drawing)) > 1
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_a_day_on_which_nothing_happened_is_a_report_as_well() -> None:
    nothing = figures(
        now=Totals(),
        before=Totals(),
        points=[],
        products=[],
        fraud={},
        verdicts=[],
        handovers=[],
        streams={},
        alerts={},
    )
    text = markdown(report_of(nothing))

    assert "- **Orders**: 0 (\u2013)" in text
    for line in ("Nothing was sold.", "Nothing was suspected.", "No table was checked yet.", "There was none."):
        assert line in text


def test_what_events_say_cannot_become_markup() -> None:
    bad = '<img src=x onerror="a">|b'
    report = Report("n", bad, {bad: bad}, (Section(bad, (Text(bad), Grid((bad,), ((bad,),)), _bars(bad))),))

    assert "<img" not in html(report)
    assert "<img" not in markdown(report)
    assert r"\|b" in markdown(report)


def _bars(label: str) -> Chart:
    return Chart(label, "bars", (label,), (1.0,))


@pytest.mark.parametrize(
    ("value", "ceiling"), [(0, 1), (0.7, 1), (12, 20), (21, 25), (99, 100), (1_000_000, 1_000_000)]
)
def test_an_axis_ends_at_a_round_number(value: float, ceiling: float) -> None:
    assert nice_ceiling(value) == ceiling


def test_axis_numbers_are_short_and_changes_are_signed() -> None:
    assert [number(value) for value in (0, 12.5, 1_500, 2_500_000)] == ["0", "12.5", "1.5k", "2.5M"]
    assert [change(*pair) for pair in ((3, 2), (1, 2), (1, 0), (0, 0))] == ["+50.0%", "-50.0%", "new", "\u2013"]
    assert ">2.5k<" in svg(Chart("t", "columns", ("a", "b"), (1.0, 3_000.0)))


@pytest.mark.parametrize(
    ("length", "day", "names"),
    [
        ("scheduled", None, ["daily-2026-11-24"]),
        ("weekly", None, ["weekly-2026-11-16"]),
        ("daily", "2026-11-25", ["daily-2026-11-25"]),
        ("weekly", "2026-11-25", ["weekly-2026-11-23"]),
        ("scheduled", "2026-11-22", ["daily-2026-11-22", "weekly-2026-11-16"]),
    ],
)
def test_a_run_is_about_what_is_over_or_what_the_form_names(length: str, day: str | None, names: list[str]) -> None:
    wednesday = datetime(2026, 11, 25, 6, 10, tzinfo=UTC)

    assert [period.name for period in chosen(length, day, wednesday)] == names


def test_on_mondays_the_week_is_reported_as_well() -> None:
    monday = datetime(2026, 11, 23, 6, 10, tzinfo=UTC)

    assert [period.name for period in chosen("scheduled", None, monday)] == ["daily-2026-11-22", "weekly-2026-11-16"]
    assert chosen("weekly", None, monday)[0].title == "week from 16 November to 22 November 2026"


def test_a_report_is_told_and_never_an_open_incident(tmp_path: object) -> None:
    settings = Settings(_env_file=None, platform_data_dir=tmp_path)
    routing = load_routing(settings.alert_routing_file)
    report = Alert(source="report", kind=Kind.REPORT, severity=Severity.INFO, subject="Daily", key="report/1")
    with connection(settings.platform_data_dir / "a.sqlite") as database:
        Intake(routing, ["slack", "mail"]).take(database, report, DAY.until)
        said = database.execute("SELECT destination, event, state FROM deliveries ORDER BY place").fetchall()
        assert [tuple(row) for row in said] == [("slack", "raised", "waiting"), ("mail", "raised", "waiting")]
        assert listed(database) == []
        assert [one.state for one in listed(database, resolved=True)] == [State.RESOLVED]
