"""How good alerts are, judged by the labels of the simulator's truth."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

# The rule that is made for each kind of fraud.
RULE_FOR: Final[Mapping[str, str]] = {
    "card_testing": "card_testing",
    "account_takeover": "account_takeover",
    "unusual_amount": "unusual_amount",
    "impossible_travel": "impossible_travel",
    "device_sharing": "device_sharing",
    "country_mismatch": "mismatched_countries",
    "blocked_card": "blocked",
    "absurd_quantity": "absurd_quantity",
}


@dataclass(frozen=True)
class Case:
    """A fraud case of the simulator: what it did, to whom, from when to when."""

    name: str
    kind: str
    events: frozenset[str]
    subjects: frozenset[str]
    begun: datetime
    ended: datetime

    def is_meant(self, alert: Mapping[str, Any], window: timedelta) -> bool:
        """Whether an alert names one of its events, or its customer or device while a window can still hold it."""
        if alert["event_id"] in self.events:
            return True
        return alert["subject"] in self.subjects and self.begun <= alert["event_time"] <= self.ended + window


@dataclass(frozen=True)
class Score:
    """Alerts that are right of all alerts, and cases that were found of all cases.

    Attributes:
        found_by_own_rule: Cases that the rule made for their kind has found.
    """

    alerts: int
    right: int
    cases: int
    found: int
    found_by_own_rule: int = 0

    @property
    def precision(self) -> float | None:
        """Share of the alerts that are right."""
        return round(self.right / self.alerts, 4) if self.alerts else None

    @property
    def recall(self) -> float | None:
        """Share of the cases that were found."""
        return round(self.found / self.cases, 4) if self.cases else None


def cases_of(truth: Iterable[Mapping[str, Any]]) -> Iterator[Case]:
    """The fraud cases among the events of a truth."""
    acts: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for event in truth:
        if event["fraud_case"]:
            acts[event["fraud_case"]].append(event)
    for name, events in acts.items():
        times = [event["event_time"] for event in events]
        subjects = {event[column] for event in events for column in ("user_id", "device_id")} - {None}
        ids = frozenset(event["event_id"] for event in events)
        yield Case(name, events[0]["label"], ids, frozenset(subjects), min(times), max(times))


def score(alerts: Sequence[Mapping[str, Any]], cases: Sequence[Case], window: timedelta) -> dict[str, Score]:
    """Precision by rule and recall by kind of fraud, under the name of the rule, and both ``overall``.

    Args:
        alerts: One for each alert id.
        cases: Those that came to their end.
        window: Of the pattern rules.
    """
    meant = {alert["alert_id"]: [case for case in cases if case.is_meant(alert, window)] for alert in alerts}
    by_rule: dict[str, set[str]] = defaultdict(set)
    for alert in alerts:
        by_rule[alert["rule"]] |= {case.name for case in meant[alert["alert_id"]]}
    found = set().union(*by_rule.values())
    kinds = {rule: kind for kind, rule in RULE_FOR.items()}
    scores = {}
    for rule in sorted({*RULE_FOR.values(), *by_rule}):
        own = [alert for alert in alerts if alert["rule"] == rule]
        names = {case.name for case in cases if case.kind == kinds.get(rule)}
        right = sum(1 for alert in own if meant[alert["alert_id"]])
        scores[rule] = Score(len(own), right, len(names), len(names & found), len(names & by_rule[rule]))
    names = {case.name for case in cases}
    scores["overall"] = Score(
        len(alerts),
        sum(1 for found_in in meant.values() if found_in),
        len(names),
        len(names & found),
        sum(part.found_by_own_rule for part in scores.values()),
    )
    return scores
