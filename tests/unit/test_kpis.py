import io
from datetime import UTC, datetime, timedelta

import pytest
from datasketches import hll_sketch, tgt_hll_type
from rich.console import Console

from include.cli import serving
from include.errors import PartUnavailableError
from include.serving import kpis, sketches
from include.serving.activity import Activity
from include.serving.answers import money, require_whole
from include.serving.freshness import Freshness
from include.serving.kpi_screen import nothing_yet, screen

NOON = datetime(2026, 3, 4, 12, 0, 30, tzinfo=UTC)
# What Spark 4.2 makes of hll_sketch_agg(name, 12) over the rows a, b and over b, c.
SPARK_A_B = "AgEHDAMAAggvgjsECv+ABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
SPARK_B_C = "AgEHDAMAAggK/4AEbxncBgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="


def key_figures(**changes: object) -> kpis.Kpis:
    figures = {
        "since": NOON - timedelta(seconds=90),
        "until": NOON,
        "counts": {"events": 9, "orders": 3, "items": 5, "sessions": 4, "carts": 2, "checkouts": 1},
        "sales": {"EUR": kpis.Sales(3, 5, 10_001, 1, 250)},
        "series": (kpis.Minute(NOON.replace(second=0), 9, 3, {"EUR": 10_001}),),
        "activity": Activity({1: 2, 5: 3, 15: 4}, 10, 4, 3, 1, NOON.replace(second=0)),
        "freshness": Freshness(NOON, NOON, NOON - timedelta(seconds=2), {"speed": NOON - timedelta(seconds=2)}),
    }
    return kpis.Kpis(**(figures | changes))  # type: ignore[arg-type]


def printed(shown: object) -> str:
    console = Console(width=140, record=True, file=io.StringIO())
    console.print(shown)
    return console.export_text()


def test_sketches_of_spark_merge_into_distinct_counts() -> None:
    left, right = sketches.merged([SPARK_A_B]), sketches.merged([SPARK_B_C])
    assert sketches.distinct(left) == 2
    assert sketches.distinct(sketches.merged([SPARK_A_B, SPARK_B_C])) == 3
    assert sketches.distinct_in_both(left, right) == 1


def test_text_has_the_same_place_in_a_sketch_of_spark_and_of_python() -> None:
    ours = hll_sketch(sketches.LG_K, tgt_hll_type.HLL_8)
    ours.update("a")
    assert sketches.distinct_in_both(ours, sketches.merged([SPARK_A_B])) == 1
    assert sketches.distinct_in_both(ours, sketches.merged([SPARK_B_C])) == 0


def test_no_sketches_are_nobody() -> None:
    nobody = sketches.merged([])
    assert sketches.distinct(nobody) == 0
    assert sketches.distinct_in_both(nobody, sketches.merged([SPARK_A_B])) == 0


@pytest.mark.parametrize(("cents", "text"), [(0, "0.00"), (5, "0.05"), (-1205, "-12.05"), (10**14, "1000000000000.00")])
def test_cents_are_printed_exactly(cents: int, text: str) -> None:
    assert money(cents) == text


def test_the_range_is_whole_minutes_and_the_running_one() -> None:
    since, until = kpis.range_of(NOON, 15)
    assert (since, until) == (datetime(2026, 3, 4, 11, 45, tzinfo=UTC), NOON)


def test_rates_come_from_distinct_sessions() -> None:
    activity = key_figures().activity
    assert activity.conversion_rate == pytest.approx(0.3)
    assert activity.cart_abandonment_rate == pytest.approx(0.25)
    empty = Activity({1: 0, 5: 0, 15: 0}, 0, 0, 0, 0, None)
    assert empty.conversion_rate is None
    assert empty.cart_abandonment_rate is None


def test_the_json_has_money_as_text_and_says_how_fresh_it_is() -> None:
    found = key_figures().as_json()
    assert found["sales"]["EUR"] == {
        "orders": 3,
        "items": 5,
        "revenue": "100.01",
        "revenue_per_minute": "66.67",
        "average_order_value": "33.34",
        "returns": 1,
        "refunded": "2.50",
    }
    assert found["freshness"]["age_seconds"] == 2.0
    assert found["freshness"]["layers"] == {"speed": "2026-03-04T12:00:28.000Z"}


def test_the_screen_shows_the_figures_and_their_age() -> None:
    text = printed(screen(key_figures()))
    for part in ("100.01", "33.34", "30.0%", "25.0%", "2 / 3 / 4", "computed 2.0 s ago", "speed (2026-03-04 12:00:28)"):
        assert part in text


def test_an_empty_platform_says_what_to_do_instead_of_showing_zeros() -> None:
    no_events = {"events": 0, "orders": 0}
    never = key_figures(counts=no_events, freshness=Freshness(None, None, None, {}))
    assert "start-producer" in str(nothing_yet(never))
    assert "newest is of 2026-03-04 12:00:30" in str(nothing_yet(key_figures(counts=no_events)))
    assert nothing_yet(key_figures()) is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"timed_out": True, "_shards": {"failed": 0, "total": 1}}, "timed out"),
        ({"timed_out": False, "_shards": {"failed": 1, "total": 2}}, "failed on 1 of 2 shards"),
        ({"error": {"type": "index_not_found_exception", "index": "metrics"}}, "no metrics yet"),
    ],
)
def test_a_part_of_an_answer_is_refused(answer: dict, reason: str) -> None:
    with pytest.raises(PartUnavailableError, match=reason):
        require_whole(answer)


def test_the_command_line_allows_as_many_minutes_as_the_reader() -> None:
    assert serving._MAX_MINUTES == kpis.MAX_MINUTES
