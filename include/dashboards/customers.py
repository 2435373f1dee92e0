"""The dashboard ``Customers and funnel``: from a visit to an order, by country and device, and what customers say."""

from typing import Final

from grafana_foundation_sdk.builders import stat
from grafana_foundation_sdk.models.dashboard import Dashboard, DynamicConfigValue

from include.dashboards import looks, queries, transforms

UID: Final = "customers-funnel"
_ALL: Final = "dimension:all"
_NO_VISITS: Final = "No visits in this range"
_NO_REVIEWS: Final = "No reviews in this range"
_STAGES: Final = {"A": "sessions", "B": "carts", "C": "checkouts", "D": "orders"}


def _stage(title: str, description: str, field: str) -> stat.Panel:
    target = queries.sum_over_time(field, _ALL)
    return looks.number(title, description, target, queries.METRICS).display_name(title).no_value(_NO_VISITS)


def _conversion() -> stat.Panel:
    fields = ["orders", "sessions"]
    orders, sessions = (queries.column(field, fields) for field in fields)
    return (
        looks.number(
            "Orders per visit",
            "Orders divided by visits that began in the range.",
            queries.sum_by_term(fields, "dimension:all AND (sessions:>0 OR orders:>0)", by="dimension"),
            queries.METRICS,
            calc="lastNotNull",
        )
        .with_transformation(transforms.divide(orders, sessions, "Orders per visit"))
        .with_transformation(transforms.drop([orders, sessions]))
        .unit("percentunit")
        .decimals(1)
        .no_value(_NO_VISITS)
    )


def _visits_by(title: str, dimension: str) -> looks.AnyPanel:
    target = queries.sum_by_term(["sessions"], f"dimension:{dimension} AND sessions:>0", by="value", size=10)
    return looks.bars(title, "Visits that began in the range.", target, queries.METRICS).no_value(_NO_VISITS)


def _funnel() -> looks.AnyPanel:
    panel = looks.over_time("Funnel by minute", "Visits, carts, checkouts and orders of each minute of event time.")
    for ref, field in _STAGES.items():
        panel.with_target(queries.sum_over_time(field, _ALL, ref_id=ref))
        panel.override_by_query(ref, [DynamicConfigValue("displayName", field)])
    return panel.unit("locale").decimals(0).no_value(_NO_VISITS)


def _reviews() -> list[looks.AnyPanel]:
    reviews = "event_type:review_submitted"
    best = queries.by_term(queries.EVENTS, "avg", "rating", reviews, by="product_id", size=10)
    worst = queries.by_term(queries.EVENTS, "avg", "rating", reviews, by="product_id", size=10, rising=True)
    number = queries.over_time(queries.EVENTS, "count", "", reviews, by="language")
    titles = (("Best rated products", best), ("Worst rated products", worst))
    shown = [
        looks.bars(title, "Average stars of the reviews of the range.", target, queries.EVENTS)
        .max(5)
        .decimals(1)
        .no_value(_NO_REVIEWS)
        for title, target in titles
    ]
    over = looks.lines("Reviews by language", "Reviews of each minute.", number, queries.EVENTS, "language")
    return [*(panel.span(8).height(9) for panel in shown), over.unit("locale").no_value(_NO_REVIEWS).span(8).height(9)]


def build() -> Dashboard:
    """The whole dashboard."""
    panels: list[looks.AnyPanel] = [
        _stage("Visits", "Visits that began in the range.", "sessions").span(5).height(5),
        _stage("Put into carts", "Products put into carts.", "carts").span(5).height(5),
        _stage("Checkouts", "Checkouts that began.", "checkouts").span(5).height(5),
        _stage("Orders placed", "Orders, over all currencies.", "orders").span(5).height(5),
        _conversion().span(4).height(5),
        _funnel().span(12).height(9),
        _visits_by("Visits by country", "country").span(6).height(9),
        _visits_by("Visits by device", "device").span(6).height(9),
        *_reviews(),
    ]
    return looks.board(
        "Customers and funnel", UID, "From a visit to an order, and what customers say.", "sales", panels
    )
