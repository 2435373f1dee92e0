"""The dashboard ``Sales``: what the shop sells now, in which currency, what, where, and how fresh the numbers are."""

from typing import Final

from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries
from grafana_foundation_sdk.builders.common import ReduceDataOptions, StackingConfig
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    StackingMode,
)
from grafana_foundation_sdk.models.dashboard import Dashboard, DynamicConfigValue

from include.dashboards import looks, queries, transforms

UID: Final = "sales-metrics"
# Money is stored as cents, and never summed over currencies.
_CENTS: Final = 100
_SECONDS: Final = 60
_SOLD: Final = "dimension:all AND orders:>0"
_NO_SALES: Final = "No sales in this range"
_NO_EVENTS: Final = "No events in this range"


def _orders() -> stat.Panel:
    # A shop that sold nothing at all in the range is red.
    return (
        stat.Panel()
        .title("Orders")
        .description("Orders placed in the chosen range, over all currencies.")
        .datasource(queries.METRICS.ref)
        .with_target(queries.sum_over_time("orders", "dimension:all"))
        .reduce_options(ReduceDataOptions().calcs(["sum"]).values(False).fields(""))
        .graph_mode(BigValueGraphMode.AREA)
        .color_mode(BigValueColorMode.VALUE)
        .thresholds(looks.thresholds((None, "red"), (1, "green")))
        .display_name("orders")
        .unit("locale")
        .decimals(0)
        .no_value(_NO_EVENTS)
    )


def _revenue() -> stat.Panel:
    return (
        stat.Panel()
        .title("Revenue by currency")
        .description("Sum of the orders' totals. Currencies are never added up.")
        .datasource(queries.METRICS.ref)
        .with_target(queries.sum_by_term(["revenue_minor"], _SOLD, by="currency"))
        .with_transformation(transforms.divide("Sum", _CENTS, "Revenue"))
        .with_transformation(transforms.drop(["Sum"]))
        .reduce_options(looks.all_rows())
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.NONE)
        .thresholds(looks.thresholds((None, "green")))
        .unit("locale")
        .decimals(2)
        .no_value(_NO_SALES)
    )


def _average_order_value() -> stat.Panel:
    fields = ["revenue_minor", "orders"]
    revenue, orders = (queries.column(field, fields) for field in fields)
    return (
        stat.Panel()
        .title("Average order value")
        .description("Revenue divided by orders, in each currency.")
        .datasource(queries.METRICS.ref)
        .with_target(queries.sum_by_term(fields, _SOLD, by="currency"))
        .with_transformation(transforms.divide(revenue, orders, "cents"))
        .with_transformation(transforms.divide("cents", _CENTS, "Average order value"))
        .with_transformation(transforms.drop([revenue, orders, "cents"]))
        .reduce_options(looks.all_rows())
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.NONE)
        .thresholds(looks.thresholds((None, "blue")))
        .unit("locale")
        .decimals(2)
        .no_value(_NO_SALES)
    )


def _freshness() -> stat.Panel:
    return (
        stat.Panel()
        .title("Newest data")
        .description("When the newest event behind these numbers was processed, for each layer.")
        .datasource(queries.METRICS.ref)
        .with_target(queries.newest_by_term("processed_at", "dimension:all", by="layer"))
        .reduce_options(looks.all_rows())
        .color_mode(BigValueColorMode.NONE)
        .graph_mode(BigValueGraphMode.NONE)
        .unit("dateTimeFromNow")
        .no_value(_NO_EVENTS)
    )


def _sales_per_minute() -> timeseries.Panel:
    return (
        looks.over_time("Sales per minute", "Revenue of each minute of order time, in each currency.")
        .with_target(queries.sum_over_time("revenue_minor", _SOLD, by="currency"))
        .with_transformation(transforms.divide_series(_CENTS))
        .display_name("${__field.labels.currency}")
        .unit("locale")
        .decimals(2)
        .no_value(_NO_SALES)
    )


def _orders_per_minute() -> timeseries.Panel:
    return (
        looks.over_time("Orders and items per minute", "Orders placed and items in them.")
        .with_target(queries.sum_over_time("orders", "dimension:all", ref_id="A"))
        .with_target(queries.sum_over_time("items", "dimension:all", ref_id="B"))
        .override_by_query("A", [DynamicConfigValue("displayName", "orders")])
        .override_by_query("B", [DynamicConfigValue("displayName", "items")])
        .unit("locale")
        .decimals(0)
        .no_value(_NO_EVENTS)
    )


def _events_per_second() -> timeseries.Panel:
    return (
        looks.over_time("Events per second", "Valid events by type, averaged over each minute of event time.")
        .with_target(queries.sum_over_time("events", "dimension:event_type", by="value", size=30))
        .with_transformation(transforms.divide_series(_SECONDS))
        .stacking(StackingConfig().mode(StackingMode.NORMAL).group("A"))
        .display_name("${__field.labels.value}")
        .unit("eps")
        .decimals(1)
        .no_value(_NO_EVENTS)
    )


def _ranking(title: str, description: str, dimension: str, field: str) -> bargauge.Panel:
    target = queries.sum_by_term([field], f"dimension:{dimension} AND {field}:>0", by="value", size=10)
    return looks.bars(title, description, target, queries.METRICS).no_value(_NO_SALES)


def _by_currency() -> table.Panel:
    fields = ["orders", "items", "revenue_minor", "returns", "refunded_minor"]
    orders, items, revenue, returns, refunded = (queries.column(field, fields) for field in fields)
    return (
        table.Panel()
        .title("By currency")
        .description("Orders, items, revenue, and what came back, in each currency.")
        .datasource(queries.METRICS.ref)
        .with_target(queries.sum_by_term(fields, "dimension:all AND _exists_:currency", by="currency"))
        .with_transformation(transforms.divide(revenue, _CENTS, "Revenue"))
        .with_transformation(transforms.divide(refunded, _CENTS, "Refunded"))
        .with_transformation(
            transforms.drop(
                [revenue, refunded],
                {"currency": "Currency", orders: "Orders", items: "Items", returns: "Items returned"},
            )
        )
        .override_by_regexp("Revenue|Refunded", [DynamicConfigValue("decimals", 2)])
        .unit("locale")
        .decimals(0)
        .no_value(_NO_SALES)
    )


def build() -> Dashboard:
    """The whole dashboard."""
    panels: list[looks.AnyPanel] = [
        _orders().span(4).height(5),
        _revenue().span(8).height(5),
        _average_order_value().span(8).height(5),
        _freshness().span(4).height(5),
        _sales_per_minute().span(12).height(9),
        _orders_per_minute().span(12).height(9),
        _ranking("Top products", "Items sold.", "product", "items").span(8).height(9),
        _ranking("Top categories", "Items sold.", "category", "items").span(8).height(9),
        _ranking("Top countries", "Orders by shipping country.", "country", "orders").span(8).height(9),
        _events_per_second().span(12).height(9),
        _by_currency().span(12).height(9),
    ]
    about = "Live sales by minute. Ranges beyond 45 days have more minutes than Elasticsearch allows."
    return looks.board("Sales", UID, about, "sales", panels)
