"""The simulated shop: repeatable, consistent, and honest about what it breaks."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice

import pytest

from include.contracts.validation import check
from include.errors import ConfigurationError
from include.names import Topic
from include.simulator.events import Event, Fault, FraudKind
from include.simulator.options import SimulationOptions
from include.simulator.shop import Shop
from include.simulator.truth import TruthWriter, truth_batch

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
PLAIN = SimulationOptions(start_ms=int(START.timestamp() * 1000), rate=500, duration=60, fraud=0.01)
FAULTY = replace(PLAIN, invalid=0.1, duplicates=0.02, out_of_order=0.02, late=0.05)


def made(options: SimulationOptions) -> list[Event]:
    return list(Shop(options).events())


def test_equal_options_give_equal_bytes() -> None:
    first, second = made(FAULTY), made(FAULTY)
    assert [(e.topic, e.key, e.value) for e in first] == [(e.topic, e.key, e.value) for e in second]
    assert [e.value for e in first] != [e.value for e in made(replace(FAULTY, seed=2))]


def test_events_come_at_the_rate_and_not_one_more_than_asked_for() -> None:
    events = made(PLAIN)
    assert len(events) == 500 * 60
    assert events[0].slot == START.timestamp()
    assert events[-1].slot == pytest.approx(START.timestamp() + 60 - 1 / 500)


def test_what_the_truth_calls_valid_is_valid_and_all_else_is_refused() -> None:
    taken_at = datetime(2026, 3, 10, tzinfo=UTC)
    kinds = Counter[Fault | None]()
    for event in made(FAULTY):
        rejection = check(event.value, event.topic, event.key, taken_at)
        assert (rejection is None) == event.valid, (event.fault, rejection, event.value)
        kinds[event.fault] += 1
    assert set(kinds) == {None, *Fault}


def test_a_total_is_the_sum_of_its_parts() -> None:
    orders = [event.order for event in made(PLAIN) if event.order]
    assert len(orders) > 100
    for order in orders:
        assert order.total == order.goods - order.discount + order.tax + order.shipping


def test_an_order_follows_its_checkout_in_the_same_visit_with_the_same_device() -> None:
    checkouts: set[tuple[str, str]] = set()
    orders = 0
    for event in made(replace(PLAIN, fraud=0)):
        assert event.visit is not None or event.topic is Topic.INVENTORY_UPDATES
        if event.event_type == "checkout_started" and event.visit:
            checkouts.add((event.visit.session_id, event.visit.device_id))
        if event.event_type == "order_placed" and event.visit:
            orders += 1
            assert (event.visit.session_id, event.visit.device_id) in checkouts
    assert orders > 100


def test_usual_customers_keep_to_their_devices_cards_countries_and_amounts() -> None:
    for event in made(replace(PLAIN, fraud=0)):
        if event.visit is None:
            continue
        customer = event.visit.customer
        assert event.visit.device_id in {device.device_id for device in customer.devices}
        assert event.visit.country == customer.country.code
        if event.order:
            assert event.order.card_id is None or event.order.card_id in customer.cards
            assert event.order.shipping_country == event.order.billing_country == customer.country.code
            assert event.order.total < 5 * customer.usual_order


def test_fraud_of_every_kind_is_labelled_with_its_case() -> None:
    labels = {(event.visit.fraud, event.visit.case) for event in made(PLAIN) if event.visit and event.visit.fraud}
    assert {kind for kind, _ in labels} == set(FraudKind)
    assert all(case for _, case in labels)


def test_the_mix_is_that_of_a_shop() -> None:
    kinds = Counter(event.event_type for event in made(replace(PLAIN, duration=300)))
    shares = {kind: count / kinds.total() for kind, count in kinds.items()}
    looking = sum(shares[kind] for kind in ("session_start", "page_view", "product_view", "search"))
    assert 0.65 < looking < 0.8
    assert 0.03 < shares["order_placed"] + shares["order_returned"] < 0.05
    assert 0.02 < shares["stock_level"] + shares["stock_delta"] < 0.04
    assert 0.005 < shares["review_submitted"] < 0.015


def test_stock_sells_out_is_refilled_and_never_falls_below_zero() -> None:
    shop = Shop(replace(PLAIN, duration=300))
    reports = [event.stock for event in shop.events() if event.stock]
    assert {"count", "refill", "return", "damage"} <= {report.reason for report in reports}
    assert min(report.level for report in reports if report.level is not None) >= 0


def test_late_visits_happened_before_and_duplicates_are_equal_to_their_originals() -> None:
    events = made(FAULTY)
    originals = {event.event_id: event for event in events if not event.duplicate}
    duplicates = [event for event in events if event.duplicate]
    assert duplicates
    assert all(event.value == originals[event.event_id].value for event in duplicates)
    late = [event for event in events if event.late]
    assert late
    assert all(event.slot * 1000 - event.time_ms >= 119_000 for event in late)


def test_a_week_has_busy_and_quiet_hours() -> None:
    week = replace(PLAIN, rate=100, duration=60, acceleration=7 * 86_400 / 60, rhythm=True)
    hours = Counter(datetime.fromtimestamp(event.slot, UTC).hour for event in made(week))
    assert hours[20] > 5 * hours[4]
    assert 5_400 < hours.total() < 6_600


@pytest.mark.parametrize(("name", "value"), [("rate", 60_000), ("invalid", 0.9), ("duration", 0)])
def test_an_option_out_of_range_is_named_with_what_was_found(name: str, value: float) -> None:
    with pytest.raises(ConfigurationError, match=f"--{name}: must be from .* found {value:g}"):
        replace(PLAIN, **{name: value})


def test_the_truth_is_one_table_of_all_messages(tmp_path) -> None:
    import pyarrow.parquet as pq

    events = list(islice(Shop(FAULTY).events(), 3_000))
    writer = TruthWriter(tmp_path)
    writer.open()
    writer.begin(FAULTY.run_id)
    for event in events:
        writer.add(event)
    writer.close()
    table = pq.read_table(tmp_path)
    assert table.num_rows == 3_000
    assert table.column("event_id").to_pylist() == [event.event_id for event in events]
    orders = sum(event.order.total for event in events if event.order)
    assert sum(filter(None, table.column("total_minor").to_pylist())) == orders
    assert truth_batch([], "").num_rows == 0
