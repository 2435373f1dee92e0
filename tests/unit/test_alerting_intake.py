"""From alerts to incidents, without any delivery."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from include.alerting.alert import Alert, Kind, Severity
from include.alerting.incidents import State, listed, open_with_key
from include.alerting.intake import Intake, acknowledge
from include.alerting.kafka_source import alert_of
from include.alerting.routing import Routing
from include.alerting.store import connection

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def an_alert(severity: Severity = Severity.WARNING, at: datetime = NOW, *, resolved: bool = False) -> Alert:
    return Alert(
        source="test", kind=Kind.STOCK, severity=severity, subject="s", key="stock/p1", time=at, resolved=resolved
    )


def rules(**parts: object) -> Routing:
    return Routing.model_validate(
        {
            "destinations": {"slack": {"type": "slack"}},
            "routes": [{"to": ["slack"]}],
            "grouping": {"repeat_minutes": 60},
            **parts,
        }
    )


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with connection(tmp_path / "alerts.sqlite") as opened:
        yield opened


def events(database: sqlite3.Connection) -> list[str]:
    return [row["event"] for row in database.execute("SELECT event FROM deliveries ORDER BY place")]


def test_an_incident_that_goes_on_is_told_again_only_after_the_pause(database: sqlite3.Connection) -> None:
    intake = Intake(rules(), ["slack"])
    for minutes in (0, 10, 59, 60, 61):
        at = NOW + timedelta(minutes=minutes)
        intake.take(database, an_alert(at=at), at)

    assert events(database) == ["raised", "repeated"]
    assert listed(database)[0].occurrences == 5


def test_an_incident_that_gets_worse_is_told_at_once(database: sqlite3.Connection) -> None:
    intake = Intake(rules(), ["slack"])
    for severity in (Severity.WARNING, Severity.CRITICAL, Severity.INFO):
        intake.take(database, an_alert(severity), NOW)

    assert events(database) == ["raised", "raised"]
    assert listed(database)[0].severity is Severity.CRITICAL


def test_a_resolved_incident_is_told_and_the_next_alert_begins_a_new_one(database: sqlite3.Connection) -> None:
    intake = Intake(rules(), ["slack"])
    for resolved in (False, True, True, False):
        intake.take(database, an_alert(resolved=resolved), NOW)

    assert events(database) == ["raised", "resolved", "raised"]
    assert [one.state for one in listed(database, resolved=True)] == [State.OPEN, State.RESOLVED]


def test_resolving_what_is_not_open_says_nothing(database: sqlite3.Connection) -> None:
    Intake(rules(), ["slack"]).take(database, an_alert(resolved=True), NOW)

    assert events(database) == []
    assert listed(database, resolved=True) == []


def test_planned_work_is_kept_quiet_until_it_ends(database: sqlite3.Connection) -> None:
    window = {"from": NOW, "until": NOW + timedelta(hours=1), "reason": "disks"}
    intake = Intake(rules(maintenance=[window]), ["slack"])
    intake.take(database, an_alert(Severity.CRITICAL), NOW)
    assert events(database) == []

    later = NOW + timedelta(hours=1)
    intake.take(database, an_alert(Severity.CRITICAL, later), later)
    assert events(database) == ["raised"]


def test_only_the_first_acknowledgement_counts(database: sqlite3.Connection) -> None:
    Intake(rules(), ["slack"]).take(database, an_alert(), NOW)
    incident = listed(database)[0].incident

    acknowledge(database, incident[:8], "ann", NOW)
    acknowledge(database, incident, "bob", NOW)

    found = open_with_key(database, "stock/p1")
    assert found is not None
    assert (found.state, found.acknowledged_by) == (State.ACKNOWLEDGED, "ann")
    assert events(database) == ["raised", "acknowledged"]
    assert acknowledge(database, "nothing", "ann", NOW) is None


def test_a_suspicion_of_fraud_becomes_an_alert_of_its_rule_and_subject() -> None:
    message = (
        b'{"alert_id": "f1", "rule": "card_testing", "severity": "critical", "score": 0.9, "subject": "user-7",'
        b' "evidence": "14 orders in 3 minutes", "amount_minor": 12345, "currency": "EUR",'
        b' "event_time": "2026-03-02T12:00:00.000Z"}'
    )

    assert alert_of("fraud-alerts", message, "fraud-alerts-0-1") == Alert(
        source="fraud",
        kind=Kind.FRAUD,
        severity=Severity.CRITICAL,
        subject="Suspected fraud: card testing by user-7",
        key="fraud/card_testing/user-7",
        evidence={"rule": "card_testing", "score": "0.9", "amount": "123.45 EUR", "evidence": "14 orders in 3 minutes"},
        time=NOW,
        alert_id="f1",
    )


@pytest.mark.parametrize("value", [b"", b"[]", b'{"source": "x"}'])
def test_a_message_that_is_no_alert_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"JSON|Expecting|validation error"):
        alert_of("platform-alerts", value, "platform-alerts-0-1")
