from datetime import UTC, datetime, timedelta
from typing import Any

from tests.performance.fraud_score import cases_of, score

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = timedelta(minutes=10)


def act(case: str, kind: str, event_id: str, user_id: str, minutes: float = 0) -> dict[str, Any]:
    moment = NOON + timedelta(minutes=minutes)
    return {
        "fraud_case": case,
        "label": kind,
        "event_id": event_id,
        "user_id": user_id,
        "device_id": None,
        "event_time": moment,
    }


def alert(number: int, rule: str, event_id: str, subject: str, minutes: float = 0) -> dict[str, Any]:
    moment = NOON + timedelta(minutes=minutes)
    return {"alert_id": str(number), "rule": rule, "event_id": event_id, "subject": subject, "event_time": moment}


TRUTH = [
    act("case-1", "blocked_card", "e1", "ann"),
    act("case-2", "impossible_travel", "e2", "bob"),
    act("case-2", "impossible_travel", "e3", "bob", 2),
    {**act("", "", "e4", "cat"), "fraud_case": None},
]


def test_an_alert_is_right_when_it_names_an_event_or_its_subject_in_time_of_a_case() -> None:
    found = score(
        [
            alert(1, "blocked", "e1", "ann"),
            alert(2, "impossible_travel", "another", "bob", 11),
            alert(3, "impossible_travel", "another", "bob", 13),
            alert(4, "order_velocity", "e4", "cat"),
        ],
        list(cases_of(TRUTH)),
        WINDOW,
    )

    assert (found["blocked"].precision, found["blocked"].recall) == (1.0, 1.0)
    assert (found["impossible_travel"].precision, found["impossible_travel"].recall) == (0.5, 1.0)
    assert found["order_velocity"].precision == 0.0
    assert (found["overall"].precision, found["overall"].recall) == (0.5, 1.0)


def test_a_case_that_another_rule_finds_is_found_but_not_by_its_own() -> None:
    found = score([alert(1, "order_velocity", "e1", "ann")], list(cases_of(TRUTH)), WINDOW)

    assert (found["blocked"].found, found["blocked"].found_by_own_rule) == (1, 0)
    assert (found["impossible_travel"].recall, found["overall"].recall) == (0.0, 0.5)
