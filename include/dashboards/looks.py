"""How panels look: thresholds, legends, lines, rows."""

from grafana_foundation_sdk.builders import dashboard, timeseries
from grafana_foundation_sdk.builders.common import ReduceDataOptions, VizLegendOptions
from grafana_foundation_sdk.models.common import GraphDrawStyle, LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import Threshold, ThresholdsMode

from include.dashboards import queries


def thresholds(*steps: tuple[float | None, str]) -> dashboard.ThresholdsConfig:
    """Colours by value, each from its value upwards; the first has no value."""
    config = dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE)
    return config.steps([Threshold(value, color) for value, color in steps])


def all_rows() -> ReduceDataOptions:
    """Show each row of a table instead of one number for the whole column."""
    return ReduceDataOptions().values(True).calcs(["lastNotNull"]).fields("")


def over_time(title: str, description: str) -> timeseries.Panel:
    """Lines over time from zero upwards, with the last and the highest value in the legend."""
    legend = VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.TABLE)
    return (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(queries.SOURCE)
        .legend(legend.placement(LegendPlacement.BOTTOM).calcs(["lastNotNull", "max"]))
        .draw_style(GraphDrawStyle.LINE)
        .line_width(2)
        .fill_opacity(15)
        .min(0)
    )
