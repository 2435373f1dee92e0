"""The dashboard ``Data quality``: what was refused, which promises were broken, and whether all is there once."""

from typing import Final

from grafana_foundation_sdk.models.dashboard import Dashboard

from include.dashboards import looks, queries

UID: Final = "data-quality"
_NONE: Final = "Nothing was checked in this range"


def _by_subject(
    title: str, description: str, kind: str, metric: str, how: queries.Kind = "max", *, rising: bool = False
) -> looks.AnyPanel:
    lucene = f"kind:{kind} AND _exists_:metrics.{metric}"
    target = queries.by_term(queries.HEALTH, how, f"metrics.{metric}", lucene, by="subject", rising=rising)
    return looks.bars(title, description, target, queries.HEALTH).no_value(_NONE)


def _of_audit(title: str, description: str, metric: str) -> looks.AnyPanel:
    target = queries.over_time(queries.HEALTH, "max", f"metrics.{metric}", "kind:audit", interval="1h")
    panel = looks.number(title, description, target, queries.HEALTH, calc="lastNotNull")
    return panel.thresholds(looks.thresholds((None, "green"), (1, "red"))).no_value(_NONE)


def build() -> Dashboard:
    """The whole dashboard."""
    refused = queries.over_time(
        queries.HEALTH, "max", "metrics.rejected_share", "_exists_:metrics.rejected_share", by="subject"
    )
    panels: list[looks.AnyPanel] = [
        _of_audit("Differences", "Events that the newest audit found missing or too many.", "differences")
        .span(8)
        .height(5),
        _of_audit("Gap of live totals", "By how much live totals differ from what was sent.", "live_gap")
        .span(8)
        .height(5),
        _of_audit("Gap of gold", "By how much gold differs from silver.", "gold_gap").span(8).height(5),
        looks.lines(
            "Refused", "Share of what each stream read that breaks its contract.", refused, queries.HEALTH, "subject"
        )
        .unit("percentunit")
        .no_value(_NONE)
        .span(24)
        .height(8),
        _by_subject("Critical failures", "Expectations that stop publication.", "quality", "failed_critical")
        .thresholds(looks.thresholds((None, "green"), (1, "red")))
        .span(8)
        .height(10),
        _by_subject("Warnings", "Expectations that are told only.", "quality", "failed_warning")
        .thresholds(looks.thresholds((None, "green"), (1, "orange")))
        .span(8)
        .height(10),
        _by_subject("Rows checked", "Rows that the newest validation read.", "quality", "rows").span(8).height(10),
        _by_subject(
            "Budget left",
            "What is left of this month's 43 minutes to be late in.",
            "freshness",
            "budget_left",
            "min",
            rising=True,
        )
        .unit("percentunit")
        .span(12)
        .height(10),
        _by_subject("Repaired letters", "Dead letters that were sent again.", "dead_letters", "repaired", "sum")
        .span(6)
        .height(10),
        _by_subject("Still refused", "Dead letters that no rule mends.", "dead_letters", "still_refused", "sum")
        .span(6)
        .height(10),
    ]
    return looks.board("Data quality", UID, "Refusals, promises, audits and budgets.", "quality", panels)
