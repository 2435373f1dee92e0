"""What is seen of tables as a whole."""

from datetime import UTC, date, datetime, timedelta

import pytest

from include.quality.observations import Observation, drift, volume

NOW = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)


def at(days_back: int, hour: int) -> datetime:
    return datetime(2026, 3, 10, hour, tzinfo=UTC) - timedelta(days=days_back)


def test_a_closed_hour_is_held_against_the_median_of_the_same_hour_of_earlier_days() -> None:
    hours = {at(0, 11): 10, at(1, 11): 20, at(2, 11): 40, at(3, 11): 30, at(0, 12): 1, at(0, 10): 5, at(1, 10): 50}
    (found,) = volume(hours, "orders", NOW)
    assert (found.hour, found.value, found.usual) == (at(0, 11), 10, 30)
    assert found.row(date(2026, 3, 10))[5] == pytest.approx(1 / 3)


def test_an_hour_in_which_nothing_came_is_seen_too() -> None:
    (found,) = volume({at(day, 9): 100 for day in (1, 2, 3)}, "orders", NOW)
    assert (found.hour, found.value) == (at(0, 9), 0)


def test_few_events_say_nothing() -> None:
    assert list(volume({at(day, 11): 19 for day in range(4)}, "orders", NOW)) == []
    assert list(drift({"card": 199}, {"card": 1000}, "orders.method")) == []


def test_shares_that_stay_do_not_drift_and_a_new_value_does() -> None:
    before = {"card": 500, "cash": 500}
    (same,) = drift({"card": 150, "cash": 150}, before, "orders.method")
    (other,) = drift({"card": 150, "wallet": 150}, before, "orders.method")
    assert same.value == pytest.approx(0)
    assert other.value > 1


def test_every_number_of_a_row_is_a_double() -> None:
    row = Observation("behind", "live_metrics", 0, usual=2, allowed=0).row(date(2026, 3, 10))
    assert row == ("behind", "live_metrics", None, 0.0, 2.0, 0.0, 0.0, date(2026, 3, 10))
    assert {type(value) for value in row[3:7]} == {float}
