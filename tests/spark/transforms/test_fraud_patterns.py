from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from include.config import Settings
from include.fraud.rules import load_rules
from include.names import Query
from spark_jobs.streaming.trails import TRAILS_FOLDER, Trails
from spark_jobs.transforms.fraud_patterns import observations, pattern_alerts

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVENT = {
    "event_id": "event-01",
    "event_type": "order_placed",
    "event_time": NOON,
    "kafka_time": NOON,
    "user_id": "ann",
    "order_id": "order-1",
    "device_id": "phone",
    "card_id": "card",
    "total": Decimal("50.00"),
    "currency": "EUR",
    "latitude": 52.5,
    "longitude": 13.4,
}
SCHEMA = (
    "event_id string, event_type string, event_time timestamp, kafka_time timestamp, user_id string, order_id string, "
    "device_id string, card_id string, total decimal(18,2), currency string, latitude double, longitude double"
)


def at(minutes: float, **change: Any) -> dict[str, Any]:
    moment = NOON + timedelta(minutes=minutes)
    return EVENT | {"event_time": moment, "kafka_time": moment, "event_id": f"event-{minutes}"} | change


Alert = tuple[str, str, str]


class Watch:
    """What the patterns find, micro-batch by micro-batch."""

    def __init__(self, spark: SparkSession, settings: Settings) -> None:
        self._spark = spark
        self._rules = load_rules()
        self.trails = Trails(spark, settings, self._rules.patterns)

    def __call__(self, *events: dict[str, Any], batch_id: int = 0) -> set[Alert]:
        frame = self._spark.createDataFrame([tuple(event.values()) for event in events], SCHEMA).coalesce(1)
        windows = self.trails.windows(observations(frame, self._rules), batch_id)
        found = pattern_alerts(windows, self._rules)
        return {(row["rule"], row["subject"], row["evidence"]) for row in found.collect()}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, platform_data_dir=tmp_path)


@pytest.fixture
def alerts(spark: SparkSession, settings: Settings) -> Watch:
    return Watch(spark, settings)


def test_a_day_as_usual_raises_nothing(alerts: Watch) -> None:
    assert alerts(at(0), at(8, event_type="login"), at(300)) == set()


def test_six_orders_of_one_customer_in_ten_minutes_are_too_fast(alerts: Watch) -> None:
    assert alerts(*(at(minute) for minute in range(5))) == set()
    found = alerts(*(at(minute) for minute in range(6)))
    assert found == {("order_velocity", "ann", "6 orders in 10 minutes")}


def test_a_burst_across_the_border_of_a_window_is_seen(alerts: Watch) -> None:
    found = alerts(*(at(8 + minute / 2) for minute in range(6)))
    assert ("order_velocity", "ann", "6 orders in 10 minutes") in found


def test_four_cards_with_small_amounts_on_one_device_are_card_testing(alerts: Watch) -> None:
    tries = [at(n, card_id=f"card-{n}", total=Decimal("1.00")) for n in range(4)]
    assert alerts(*tries) == {("card_testing", "phone", "4 cards with small amounts in 10 minutes")}
    assert alerts(*(event | {"total": Decimal("10.01")} for event in tries)) == set()


def test_four_customers_on_one_device_share_it(alerts: Watch) -> None:
    logins = [at(n, event_type="login", user_id=f"user-{n}", total=None) for n in range(4)]
    assert alerts(*logins) == {("device_sharing", "phone", "4 customers in 10 minutes")}


def test_a_customer_in_two_far_places_within_minutes_travels_impossibly(alerts: Watch) -> None:
    tokyo = at(5, event_type="login", latitude=35.7, longitude=139.7, total=None)
    [(rule, subject, evidence)] = alerts(at(0), tokyo)
    assert (rule, subject) == ("impossible_travel", "ann")
    assert 8_000 < float(evidence.split()[0]) < 12_000


def test_the_date_line_is_no_distance(alerts: Watch) -> None:
    assert alerts(at(0, latitude=-17.0, longitude=179.9), at(5, latitude=-17.0, longitude=-179.9)) == set()


def test_a_high_order_after_a_changed_address_is_a_takeover(alerts: Watch) -> None:
    change = at(0, event_type="address_changed", total=None)
    order = at(3, total=Decimal("900.00"))
    assert alerts(change, order) == {("account_takeover", "ann", "address changed, then an order of 900.00")}
    assert alerts(at(4, event_type="address_changed", total=None), order) == set()
    assert alerts(change, at(3, total=Decimal("30.00"))) == set()


def test_a_pattern_may_grow_over_micro_batches_and_a_crash(
    alerts: Watch, spark: SparkSession, settings: Settings
) -> None:
    assert alerts(*(at(minute) for minute in range(3))) == set()
    assert alerts(at(3), at(4), batch_id=1) == set()
    after_a_crash = Watch(spark, settings)

    # Orders of minute 3 and 4 count once, although their micro-batch is done again.
    assert after_a_crash(at(3), at(4), batch_id=1) == set()
    assert after_a_crash(at(5), batch_id=2) == {("order_velocity", "ann", "6 orders in 10 minutes")}


def test_copies_of_an_order_are_one_order(alerts: Watch) -> None:
    assert alerts(*(at(1) for _ in range(8))) == set()


def test_an_event_that_comes_out_of_order_completes_the_window_of_a_later_one(alerts: Watch) -> None:
    assert alerts(*(at(minute) for minute in (0, 1, 3, 4, 5))) == set()
    assert alerts(*(at(minute) for minute in (0, 1, 3, 4, 5, 2))) == {
        ("order_velocity", "ann", "6 orders in 10 minutes")
    }


def test_what_is_more_than_a_window_apart_is_no_pattern(alerts: Watch) -> None:
    assert alerts(*(at(minute) for minute in (0, 1, 2, 3, 4, 10))) == set()


def test_events_that_are_too_late_are_counted_and_left_out(alerts: Watch) -> None:
    alerts(at(0), at(30))
    assert alerts.trails.late == 0

    assert alerts(*(at(minute) for minute in (14, 15, 16, 17, 18, 19)), at(20), batch_id=1) == set()
    assert alerts.trails.late == 6


def test_what_no_window_can_reach_is_forgotten(alerts: Watch, settings: Settings) -> None:
    for batch_id in range(8):
        alerts(at(batch_id * 10), batch_id=batch_id)

    # At minute 70 the latest known event is of minute 60: windows begin after minute 40.
    files = (Path(settings.checkpoint_path(Query.FRAUD_PATTERNS)) / TRAILS_FOLDER).iterdir()
    assert sorted(path.name for path in files) == ["5", "6", "7"]


def test_without_the_sightings_of_the_micro_batch_before_nothing_goes_on(
    alerts: Watch, spark: SparkSession, settings: Settings
) -> None:
    alerts(at(0))
    (Path(settings.checkpoint_path(Query.FRAUD_PATTERNS)) / TRAILS_FOLDER / "0").unlink()

    with pytest.raises(Exception, match=r"trails/0 is not there: .* begin-anew fraud_patterns"):
        Watch(spark, settings)(at(1), batch_id=1)


def test_an_alert_describes_the_event_that_completed_it(spark: SparkSession, settings: Settings) -> None:
    rules = load_rules()
    logins = [at(n, event_type="login", user_id=f"user-{n}", order_id=None, total=None) for n in range(4)]
    frame = spark.createDataFrame([tuple(login.values()) for login in logins], SCHEMA).coalesce(1)
    windows = Trails(spark, settings, rules.patterns).windows(observations(frame, rules), 0)

    [alert] = pattern_alerts(windows, rules).collect()
    assert (alert.subject, alert.user_id, alert.event_id, alert.amount_minor) == ("phone", "user-3", "event-3", None)
