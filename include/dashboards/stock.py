"""The dashboard ``Inventory``: what is low or out, what sells fastest, by warehouse."""

from typing import Final

from grafana_foundation_sdk.models.dashboard import Dashboard

from include.dashboards import looks, queries

UID: Final = "inventory"
_NONE: Final = "No shelf changed in this range"
_NOTHING_LOW: Final = "Nothing is low"


def _shelves(title: str, description: str, lucene: str, by: str) -> looks.AnyPanel:
    target = queries.by_term(queries.STOCK, "count", "", lucene, by=by)
    return looks.bars(title, description, target, queries.STOCK).no_value(_NOTHING_LOW)


def build() -> Dashboard:
    """The whole dashboard."""
    source = queries.STOCK
    low = "status:low OR status:out OR status:oversold"
    lowest = queries.by_term(source, "min", "level", low, by="product_id", rising=True)
    fastest = queries.by_term(source, "max", "sold_per_hour", "sold_per_hour:>0", by="product_id", size=10)
    soonest = queries.by_term(source, "min", "hours_left", "hours_left:>=0", by="product_id", size=10, rising=True)
    levels = queries.by_term(source, "sum", "level", "level:>0", by="category")
    panels: list[looks.AnyPanel] = [
        _shelves("Shelves by state", "A shelf is a product in a warehouse.", "*", "status").span(8).height(8),
        _shelves("Low by warehouse", "Shelves that are low, out or oversold.", low, "warehouse_id").span(8).height(8),
        _shelves("Low by category", "Shelves that are low, out or oversold.", low, "category").span(8).height(8),
        looks.bars("Lowest shelves", "Units left; below zero when more was sold than was there.", lowest, source)
        .no_value(_NOTHING_LOW)
        .span(12)
        .height(10),
        looks.bars("Sold out soonest", "Hours left at the present rate.", soonest, source)
        .unit("h")
        .decimals(1)
        .no_value(_NONE)
        .span(12)
        .height(10),
        looks.bars("Selling fastest", "Units sold in an hour, in the warehouse where it is most.", fastest, source)
        .decimals(1)
        .no_value(_NONE)
        .span(12)
        .height(9),
        looks.bars("Units by category", "Units on all shelves that changed in the range.", levels, source)
        .no_value(_NONE)
        .span(12)
        .height(9),
    ]
    return looks.board("Inventory", UID, "Shelves that changed in the range, as they are now.", "stock", panels)
