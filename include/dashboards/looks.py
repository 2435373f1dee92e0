"""How panels and boards look: thresholds, legends, lines, rows, links."""

from collections.abc import Sequence
from typing import Final

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
    DataSourceRef,
    Threshold,
    ThresholdsMode,
)

from include.dashboards import marks, queries
from include.names import PLATFORM

_AIRFLOW: Final = "airflow"
_AIRFLOW_URL: Final = "http://localhost:8081"

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
    """A dashboard with filters, marks of what happened, and links to Airflow and, keeping the range, to the others."""
    others = dashboards.DashboardLink("Dashboards").type(DashboardLinkType.DASHBOARDS).tags([PLATFORM])
    airflow = dashboards.DashboardLink("Airflow").type(DashboardLinkType.LINK).url(f"${{{_AIRFLOW}}}/plugin/platform")
    made = (
        dashboards.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([PLATFORM, tag])
        .link(others.as_dropdown(True).keep_time(True))
        .link(airflow.target_blank(True))
        .annotations(list(marks.ALL))
        .refresh("5s")
        .time("now-30m", "now")
        .timezone("utc")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
    )
    refs = (panel.build().datasource for panel in panels)
    for source in dict.fromkeys(ref.uid for ref in refs if ref and ref.uid):
        made.with_variable(_filter(source))
    where = dashboards.ConstantVariable(_AIRFLOW).value(_AIRFLOW_URL)
    made.with_variable(where.description("Address of Airflow, for the link."))
    for place, panel in enumerate(panels, 1):
        made.with_panel(panel.id(place))
    return made.build()


def _filter(source: str) -> dashboards.AdHocVariable:
    """By any field, for every panel of a source: a currency, a rule, a warehouse, a part."""
    made = dashboards.AdHocVariable(f"only_{source.replace('-', '_')}").label(f"Only {source.replace('-', ' ')} with")
    return made.datasource(DataSourceRef(type_val="elasticsearch", uid=source))
