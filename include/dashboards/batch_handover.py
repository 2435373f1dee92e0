"""The dashboard ``Batch and handover``: whether the layers agree, and what Airflow's runs did."""

from typing import Final

from grafana_foundation_sdk.models.dashboard import Dashboard, DynamicConfigValue

from include.dashboards import looks, queries

UID: Final = "batch-handover"
_NO_HANDOVER: Final = "No handover in this range"
_NO_RUN: Final = "No run in this range"


def _cells(title: str, description: str, metric: str, *, bad: bool = False) -> looks.AnyPanel:
    target = queries.over_time(queries.HEALTH, "sum", f"metrics.{metric}", "kind:handover")
    steps = ((None, "green"), (1, "red")) if bad else ((None, "blue"),)
    panel = looks.number(title, description, target, queries.HEALTH)
    return panel.thresholds(looks.thresholds(*steps)).no_value(_NO_HANDOVER).span(6).height(5)


def _layers(title: str, measure: str) -> looks.AnyPanel:
    panel = looks.over_time(title, "What each layer said of the segments that were handed over.", queries.HEALTH)
    for ref, layer in (("A", "speed"), ("B", "batch")):
        panel.with_target(
            queries.over_time(queries.HEALTH, "sum", f"metrics.{layer}_{measure}", "kind:handover").ref_id(ref)
        )
        panel.override_by_query(ref, [DynamicConfigValue("displayName", layer)])
    return panel.unit("locale").decimals(0).no_value(_NO_HANDOVER).span(12).height(8)


def build() -> Dashboard:
    """The whole dashboard."""
    runs = "kind:airflow_run"
    seconds = queries.over_time(queries.HEALTH, "max", "metrics.seconds", runs, by="subject")
    ended = queries.by_term(queries.HEALTH, "count", "", f"{runs} AND status:ok", by="subject")
    failed = queries.by_term(queries.HEALTH, "count", "", f"{runs} AND status:failed", by="subject")
    waiting = queries.over_time(queries.HEALTH, "max", "metrics.age_seconds", "kind:deadline", by="subject")
    panels: list[looks.AnyPanel] = [
        _cells("Cells compared", "A cell is a window, a dimension, a value and a currency.", "cells"),
        _cells("Differences explained", "Late events, copies and reused ids, counted one by one.", "explained"),
        _cells("Differences without a reason", "With one of them, readers keep the old view.", "unexplained", bad=True),
        _cells("Drift", "Units by which the layers differ without a reason.", "drift", bad=True),
        _layers("Events of both layers", "events"),
        _layers("Orders of both layers", "orders"),
        looks.lines("Duration of runs", "Of each DAG that ended in the minute.", seconds, queries.HEALTH, "subject")
        .unit("s")
        .no_value(_NO_RUN)
        .span(12)
        .height(9),
        looks.lines("Since the last time", "How long batch work is due.", waiting, queries.HEALTH, "subject")
        .unit("s")
        .no_value(_NO_RUN)
        .span(12)
        .height(9),
        looks.bars("Runs that succeeded", "By DAG.", ended, queries.HEALTH).no_value(_NO_RUN).span(12).height(9),
        looks.bars("Runs that failed", "By DAG.", failed, queries.HEALTH)
        .thresholds(looks.thresholds((None, "red")))
        .no_value("No run failed in this range")
        .span(12)
        .height(9),
    ]
    return looks.board("Batch and handover", UID, "Whether the layers agree, and what the DAGs did.", "batch", panels)
