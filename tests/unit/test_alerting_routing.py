"""The routing file: what it decides, and what it says when it cannot be used."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.alerting.alert import Alert, Kind, Severity
from include.alerting.routing import Routing, load_routing
from include.config import PROJECT_ROOT
from include.errors import ConfigurationError

MONDAY_NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def an_alert(severity: Severity = Severity.CRITICAL, kind: Kind = Kind.FRAUD, key: str = "k") -> Alert:
    return Alert(source="test", kind=kind, severity=severity, subject="s", key=key)


def routing(**parts: object) -> Routing:
    return Routing.model_validate(
        {"destinations": {"day": {"type": "slack"}, "night": {"type": "email"}}, "routes": [{"to": ["day"]}], **parts}
    )


def test_the_shipped_file_can_be_used() -> None:
    shipped = load_routing(PROJECT_ROOT / "include" / "alerting" / "routing.yaml")

    assert shipped.receivers(an_alert(), MONDAY_NOON) == ("slack", "mail")
    assert shipped.receivers(an_alert(Severity.INFO), MONDAY_NOON) == ()


@pytest.mark.parametrize(("hour", "receivers"), [(7, ("night",)), (8, ("day",)), (19, ("day",)), (20, ("night",))])
def test_the_time_of_day_decides_in_the_files_own_zone(hour: int, receivers: tuple[str, ...]) -> None:
    rules = routing(
        timezone="Europe/Berlin",
        routes=[{"between": "08:00-20:00", "to": ["day"]}, {"between": "20:00-08:00", "to": ["night"]}],
    )

    assert rules.receivers(an_alert(), datetime(2026, 3, 2, hour - 1, 30, tzinfo=UTC)) == receivers


def test_the_first_route_that_fits_decides() -> None:
    rules = routing(
        routes=[
            {"kinds": ["stock"], "to": ["night"]},
            {"severities": ["critical"], "days": ["sat", "sun"], "to": ["night"]},
            {"to": ["day"]},
        ]
    )

    assert rules.receivers(an_alert(kind=Kind.STOCK), MONDAY_NOON) == ("night",)
    assert rules.receivers(an_alert(), MONDAY_NOON) == ("day",)
    assert rules.receivers(an_alert(), datetime(2026, 3, 1, 12, tzinfo=UTC)) == ("night",)


def test_planned_work_mutes_only_its_keys_and_its_time() -> None:
    rules = routing(
        maintenance=[
            {"from": "2026-03-02T12:00:00Z", "until": "2026-03-02T13:00:00Z", "keys": ["stream/*"], "reason": "disks"}
        ]
    )

    assert rules.is_muted("stream/live_metrics", MONDAY_NOON)
    assert not rules.is_muted("airflow/dag/x", MONDAY_NOON)
    assert not rules.is_muted("stream/live_metrics", MONDAY_NOON.replace(hour=13))


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("destinations: {a: {type: pager}}\nroutes: [{to: [a]}]", "destinations.a: Input tag 'pager'"),
        ("destinations: {a: {type: slack}}\nroutes: [{to: [b]}]", "routes[0].to names b"),
        (
            "destinations: {a: {type: slack}}\nroutes: [{to: [a], severities: [bad]}]",
            "routes.0.severities.0: Input should be 'info', 'warning' or 'critical' (found 'bad')",
        ),
        ("destinations: {a: {type: slack}}\nroutes: [{to: [a], between: '8-9'}]", "routes.0.between: String should"),
        (
            "timezone: Mars/X\ndestinations: {a: {type: slack}}\nroutes: [{to: [a]}]",
            "timezone: unknown time zone Mars/X",
        ),
        ("routes: [", "is not YAML"),
        ("colour: red\ndestinations: {a: {type: slack}}\nroutes: [{to: [a]}]", "colour: Extra inputs"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_why(tmp_path: Path, text: str, finding: str) -> None:
    path = tmp_path / "routing.yaml"
    path.write_text(text)

    with pytest.raises(ConfigurationError) as raised:
        load_routing(path)

    assert finding in str(raised.value)
    assert str(path) in str(raised.value)


def test_a_missing_file_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="set ALERT_ROUTING_FILE"):
        load_routing(tmp_path / "none.yaml")
