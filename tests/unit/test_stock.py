"""Stock as a function of what was seen: in any order, any number of times, in pieces of any size."""

import random
import sqlite3
from functools import reduce
from pathlib import Path

import pytest

from include.alerting.alert import Severity
from include.errors import ConfigurationError, PlatformError
from include.simulator.places import COUNTRIES
from include.stock.rules import Low, load_rules
from include.stock.shelf import MOST_MOVEMENTS, SALES_KEPT, Count, Movement, Shelf, merged, shelf_from, stock_of
from include.stock.shelves import Place, Shelves

PLACE = Place("mug", "wh-berlin")
HOUR = 3_600_000


def count(at: int, level: int) -> Shelf:
    return Shelf(counted=Count(at, f"count-{at}", level, at), newest=at, kafka_time=at)


def moved(at: int, units: int) -> Shelf:
    return Shelf(movements=(Movement(at, f"moved-{at}", units),), newest=at, kafka_time=at)


def sold(at: int, units: int) -> Shelf:
    sale = Movement(at, f"sold-{at}", -units)
    return Shelf(movements=(sale,), sales=(sale,), newest=at, kafka_time=at, category="kitchen")


def seen(*shelves: Shelf) -> Shelf:
    return reduce(merged, shelves, Shelf())


def test_stock_is_the_latest_count_and_what_moved_after_it() -> None:
    shelf = seen(sold(1, 9), count(2, 40), sold(3, 2), moved(4, 10), sold(5, 1))
    assert (shelf.level, len(shelf.movements)) == (47, 3)
    assert merged(shelf, count(6, 45)).level == 45
    assert merged(shelf, count(1, 99)).level == 47


def test_what_moved_in_the_moment_of_a_count_is_in_the_count() -> None:
    assert seen(count(2, 40), sold(2, 5)).level == 40


def test_nobody_knows_the_stock_before_the_first_count() -> None:
    shelf = seen(sold(1, 2), moved(3, 10))
    assert (shelf.level, stock_of(shelf, "mug", Low(units=3))) == (None, None)
    assert merged(shelf, count(2, 7)).level == 17


@pytest.mark.parametrize("seed", range(20))
def test_order_copies_and_pieces_do_not_matter(seed: int) -> None:
    rng = random.Random(seed)
    news = [
        count(at, rng.randrange(50)) if at % 7 == 0 else sold(at, rng.randrange(1, 4)) if at % 2 else moved(at, 5)
        for at in range(1, 90)
    ]
    as_it_happened = seen(*news)
    mixed = news + rng.choices(news, k=60)
    rng.shuffle(mixed)
    pieces = [seen(*mixed[start : start + 10]) for start in range(0, len(mixed), 10)]

    last = max((one for one in news if one.counted), key=lambda one: one.newest)
    assert last.counted is not None
    after = sum(one.movements[0].units for one in news if one.movements and one.newest > last.newest)
    assert as_it_happened.level == last.counted.level + after
    assert seen(*mixed) == as_it_happened
    assert seen(*pieces) == as_it_happened
    assert shelf_from(as_it_happened.as_json()) == as_it_happened


def test_the_rate_is_that_of_the_latest_sales_and_tells_when_all_is_sold() -> None:
    shelf = seen(count(0, 100), *(sold(hour * HOUR, 2) for hour in range(1, SALES_KEPT + 10)))
    stock = stock_of(shelf, "mug", Low(units=3, hours=24))
    assert stock is not None
    assert len(shelf.sales) == SALES_KEPT
    assert (stock.level, stock.sold_per_hour, stock.hours_left, stock.status) == (42, 2.0, 21.0, "low")
    assert seen(count(0, 5), sold(1, 1), sold(2, 1)).sold_per_hour is None
    # What was sold the day before says nothing of today.
    assert merged(shelf, moved(80 * HOUR, 1)).sold_per_hour is None


def test_a_shelf_that_nobody_counts_stays_small_and_right() -> None:
    shelf = seen(count(0, 10_000), *(sold(at, 1) for at in range(1, MOST_MOVEMENTS + 500)))
    assert (shelf.level, len(shelf.movements) <= MOST_MOVEMENTS) == (10_000 - MOST_MOVEMENTS - 499, True)
    assert merged(shelf, sold(1, 1)) == shelf
    assert shelf.counted is not None
    assert shelf.counted.counted_at == 0


@pytest.mark.parametrize(("level", "status"), [(4, "ok"), (3, "low"), (1, "low"), (0, "out"), (-1, "oversold")])
def test_the_state_of_a_shelf_follows_from_its_level(level: int, status: str) -> None:
    stock = stock_of(seen(count(1, 10), moved(2, level - 10)), "mug", Low(units=3, products={"cup": 9}))
    assert stock is not None
    assert stock.status == status
    cup = stock_of(seen(count(1, 9)), "cup", Low(units=3, products={"cup": 9}))
    assert cup is not None
    assert (cup.status, cup.threshold) == ("low", 9)


def told(shelves: Shelves) -> list[tuple[str, Severity, bool]]:
    alerts = shelves.unsent()
    shelves.mark_sent(alerts)
    return [(alert.subject, alert.severity, alert.resolved) for alert in alerts]


def test_a_change_of_state_is_told_once_and_a_repeated_batch_changes_nothing(tmp_path: Path) -> None:
    shelves, rules = Shelves(tmp_path), load_rules()

    def take_in(*news: Shelf) -> int | None:
        return shelves.take_in({PLACE: seen(*news)}, rules).shelves[PLACE][0].level

    assert (take_in(count(1, 5)), told(shelves)) == (5, [])
    assert take_in(sold(2, 3)) == 2
    # A crash before the micro-batch was done: it comes again, and so does what it had to say.
    first = shelves.unsent()
    assert take_in(sold(2, 3)) == 2
    assert shelves.unsent() == first
    assert told(shelves) == [("mug is low: 2 left in wh-berlin", Severity.INFO, False)]
    assert (take_in(sold(2, 3)), take_in(sold(3, 1)), told(shelves)) == (2, 1, [])
    assert (take_in(sold(4, 1)), told(shelves)) == (0, [("mug is sold out in wh-berlin", Severity.WARNING, False)])
    assert take_in(sold(5, 2)) == -2
    assert told(shelves) == [("mug is oversold by 2 in wh-berlin", Severity.CRITICAL, False)]
    assert (take_in(moved(6, 30)), told(shelves)) == (28, [("mug is there again in wh-berlin", Severity.INFO, True)])


def test_a_batch_that_failed_half_way_leaves_nothing(tmp_path: Path) -> None:
    shelves, rules = Shelves(tmp_path), load_rules()
    shelves.take_in({PLACE: count(1, 5)}, rules)
    broken: dict[Place, Shelf] = {PLACE: sold(2, 4), Place("cup", None): sold(2, 4)}  # type: ignore[arg-type]
    with pytest.raises(sqlite3.IntegrityError):
        shelves.take_in(broken, rules)
    assert (shelves.take_in({PLACE: sold(3, 1)}, rules).shelves[PLACE][0].level, shelves.unsent()) == (4, [])


def test_a_checkpoint_whose_shelves_are_gone_is_refused(tmp_path: Path) -> None:
    shelves = Shelves(tmp_path)
    shelves.require()
    (tmp_path / "commits").mkdir()
    (tmp_path / "commits" / "0").touch()
    with pytest.raises(PlatformError, match=r"shelves\.sqlite is missing.*Delete"):
        shelves.require()
    shelves.take_in({PLACE: count(1, 5)}, load_rules())
    shelves.require()


def test_the_warehouses_are_those_of_the_simulated_shop() -> None:
    served = {country: name for name, countries in load_rules().warehouses.items() for country in countries}
    assert served == {country.code: country.warehouse for country in COUNTRIES}


def test_rules_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    path = tmp_path / "stock.yaml"
    path.write_text("warehouses: {a: [DE], b: [DE]}\nlow: {units: 3}\nseverity: {low: info, out: info, oversold: info}")
    with pytest.raises(ConfigurationError, match="DE would be served by more than one warehouse"):
        load_rules(path)
    path.write_text("warehouses: {a: [de]}\nlow: {units: -3}\nseverity: {low: loud, out: info, oversold: info}")
    with pytest.raises(ConfigurationError, match=r"low\.units: .*-3(.|\n)*severity\.low"):
        load_rules(path)
