"""Grafana's own alert rules: a second watch that does not depend on the platform's own sending of alerts."""

from typing import Any, Final

from grafana_foundation_sdk.builders import alerting, expr
from grafana_foundation_sdk.builders import elasticsearch as es
from grafana_foundation_sdk.models.alerting import RelativeTimeRange, Rule

from include.dashboards import queries
from include.dashboards.watches import WATCHES, Watch

FOLDER: Final = "Realtime data platform"
_SLACK: Final = "Slack"
_SLACK_AND_MAIL: Final = "Slack and mail"
_INTERVAL: Final = "1m"
_EXPRESSION: Final = "__expr__"


def _query(watch: Watch) -> es.Dataquery:
    return queries.over_time(watch.source, watch.kind, watch.field, watch.lucene, interval=_INTERVAL)


def _step(ref_id: str, model: expr.TypeReduce | expr.TypeThreshold) -> alerting.Query:
    none = RelativeTimeRange(from_val=0, to=0)
    return alerting.Query(ref_id).datasource_uid(_EXPRESSION).relative_time_range(none).model(model.ref_id(ref_id))


def _rule(watch: Watch) -> Rule:
    seen = RelativeTimeRange(from_val=watch.minutes * 60, to=0)
    look = alerting.Query("A").datasource_uid(watch.source.alias.value).relative_time_range(seen).model(_query(watch))
    condition = expr.ExprTypeThresholdConditions().evaluator(
        expr.ExprTypeThresholdConditionsEvaluator().type("gt").params([watch.above])
    )
    return (
        alerting.Rule(watch.title)
        .uid(watch.uid)
        .condition("C")
        .with_query(look)
        .with_query(_step("B", expr.TypeReduce().expression("A").reducer(watch.reducer)))
        .with_query(_step("C", expr.TypeThreshold().expression("B").conditions([condition])))
        .for_val(watch.lasting)
        .no_data_state(watch.silence)
        # A question that fails is told as well: Elasticsearch may be what is away.
        .exec_err_state("Error")
        .labels({"severity": watch.severity})
        .annotations({"summary": watch.title, "description": watch.advice})
        .build()
    )


def _as_file(rule: Rule) -> dict[str, Any]:
    # The file knows groups and folders by their names, not in each rule.
    left_out = ("orgID", "folderUID", "ruleGroup")
    return {name: value for name, value in rule.to_json().items() if name not in left_out}


def provisioning() -> dict[str, Any]:
    """Rules, contact points and who is told of what, as Grafana reads it from a file."""
    slack = {"url": "$SLACK_WEBHOOK_URL"}
    mail = {"addresses": "$ALERT_EMAIL_TO", "singleEmail": True}
    return {
        "apiVersion": 1,
        "groups": [
            {
                "orgId": 1,
                "name": "platform",
                "folder": FOLDER,
                "interval": _INTERVAL,
                "rules": [_as_file(_rule(watch)) for watch in WATCHES],
            }
        ],
        "contactPoints": [
            {"orgId": 1, "name": _SLACK, "receivers": [{"uid": "slack", "type": "slack", "settings": slack}]},
            {
                "orgId": 1,
                "name": _SLACK_AND_MAIL,
                "receivers": [
                    {"uid": "slack-urgent", "type": "slack", "settings": slack},
                    {"uid": "mail-urgent", "type": "email", "settings": mail},
                ],
            },
        ],
        "policies": [
            {
                "orgId": 1,
                "receiver": _SLACK,
                "group_by": ["grafana_folder", "alertname"],
                "group_wait": "10s",
                "group_interval": "5m",
                "repeat_interval": "4h",
                "routes": [{"receiver": _SLACK_AND_MAIL, "object_matchers": [["severity", "=", "critical"]]}],
            }
        ],
    }
