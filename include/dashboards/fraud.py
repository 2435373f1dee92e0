"""The dashboard ``Fraud``: what looks suspicious, by which rule, where, and how much money is at stake."""

from typing import Final

from grafana_foundation_sdk.builders.common import StackingConfig
from grafana_foundation_sdk.models.common import StackingMode
from grafana_foundation_sdk.models.dashboard import Dashboard

from include.dashboards import looks, queries, transforms

UID: Final = "fraud"
_NONE: Final = "Nothing suspicious in this range"
_CENTS: Final = 100


def _count(title: str, description: str, field: str, size: int = 10) -> looks.AnyPanel:
    target = queries.by_term(queries.FRAUD, "count", "", f"_exists_:{field}", by=field, size=size)
    return looks.bars(title, description, target, queries.FRAUD).no_value(_NONE)


def build() -> Dashboard:
    """The whole dashboard."""
    source = queries.FRAUD
    by_severity = queries.over_time(source, "count", "", "*", by="severity")
    by_rule = queries.over_time(source, "count", "", "*", by="rule")
    amounts = queries.by_term(source, "sum", "amount_minor", "amount_minor:>0", by="currency")
    panels: list[looks.AnyPanel] = [
        looks.number("Suspicions", "Fraud alerts in the range.", queries.over_time(source, "count", "", "*"), source)
        .thresholds(looks.thresholds((None, "green"), (1, "orange")))
        .no_value(_NONE)
        .span(6)
        .height(8),
        looks.bars("Money at stake", "Sum of the suspicious orders, in each currency.", amounts, source)
        .with_transformation(transforms.divide("Sum", _CENTS, "Amount"))
        .with_transformation(transforms.drop(["Sum"]))
        .decimals(2)
        .no_value(_NONE)
        .span(6)
        .height(8),
        looks.lines("Suspicions by severity", "Alerts of each minute of event time.", by_severity, source, "severity")
        .stacking(StackingConfig().mode(StackingMode.NORMAL).group("A"))
        .unit("locale")
        .no_value(_NONE)
        .span(12)
        .height(8),
        looks.lines("Suspicions by rule", "Alerts of each minute of event time.", by_rule, source, "rule")
        .unit("locale")
        .no_value(_NONE)
        .span(12)
        .height(9),
        _count("Rules", "How often each rule was broken.", "rule").span(6).height(9),
        _count("Countries", "Where suspicious orders come from or go to.", "country").span(6).height(9),
        _count("Customers", "Who is suspected most often.", "user_id").span(12).height(9),
        _count("Devices", "From which devices.", "device_id").span(12).height(9),
    ]
    return looks.board("Fraud", UID, "Suspicions of fraud as they are found.", "fraud", panels)
