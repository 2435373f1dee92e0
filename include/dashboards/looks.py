"""How panels and boards look: thresholds, legends, lines, rows, links."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.builders import elasticsearch as es
from grafana_foundation_sdk.builders.common import ReduceDataOptions, VizLegendOptions
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    Threshold,
    ThresholdsMode,
)

from include.dashboards import queries
from include.names import PLATFORM

AnyPanel = stat.Panel | timeseries.Panel | bargauge.Panel | table.Panel


def thresholds(*steps: tuple[float | None, str]) -> dashboards.ThresholdsConfig:
    """Colours by value, each from its value upwards; the first has no value."""
    config = dashboards.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE)
    return config.steps([Threshold(value, color) for value, color in steps])


def all_rows() -> ReduceDataOptions:
    """Show each row of a table instead of one number for the whole column."""
    return ReduceDataOptions().values(True).calcs(["lastNotNull"]).fields("")


def over_time(title: str, description: str, source: queries.Source = queries.METRICS) -> timeseries.Panel:
    """Lines over time from zero upwards, with the last and the highest value in the legend."""
    legend = VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.TABLE)
    return (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(source.ref)
        .legend(legend.placement(LegendPlacement.BOTTOM).calcs(["lastNotNull", "max"]))
        .draw_style(GraphDrawStyle.LINE)
        .line_width(2)
        .fill_opacity(15)
        .min(0)
    )


def bars(title: str, description: str, target: es.Dataquery, source: queries.Source) -> bargauge.Panel:
    """A bar for each row of an answer."""
    return (
        bargauge.Panel()
        .title(title)
        .description(description)
        .datasource(source.ref)
        .with_target(target)
        .reduce_options(all_rows())
        .display_mode(BarGaugeDisplayMode.BASIC)
        .orientation(VizOrientation.HORIZONTAL)
        .thresholds(thresholds((None, "blue")))
        .min(0)
        .unit("locale")
        .decimals(0)
    )


def lines(title: str, description: str, target: es.Dataquery, source: queries.Source, label: str) -> timeseries.Panel:
    """A line for each value of a label."""
    panel = over_time(title, description, source).with_target(target)
    return panel.display_name("${__field.labels['" + label + "']}")


def number(
    title: str, description: str, target: es.Dataquery, source: queries.Source, *, calc: str = "sum"
) -> stat.Panel:
    """One number over the range, with its course behind it."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(source.ref)
        .with_target(target)
        .reduce_options(ReduceDataOptions().calcs([calc]).values(False).fields(""))
        .graph_mode(BigValueGraphMode.AREA)
        .color_mode(BigValueColorMode.VALUE)
        .thresholds(thresholds((None, "blue")))
        .unit("locale")
        .decimals(0)
    )


def board(title: str, uid: str, description: str, tag: str, panels: Sequence[AnyPanel]) -> Dashboard:
    """A dashboard with links to the others, which keep the range."""
    others = dashboards.DashboardLink("Dashboards").type(DashboardLinkType.DASHBOARDS).tags([PLATFORM])
    made = (
        dashboards.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([PLATFORM, tag])
        .link(others.as_dropdown(True).keep_time(True))
        .refresh("5s")
        .time("now-30m", "now")
        .timezone("utc")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
    )
    for place, panel in enumerate(panels, 1):
        made.with_panel(panel.id(place))
    return made.build()
