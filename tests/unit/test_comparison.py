from include.handover.cells import MEASURES, Cell, Kind, Recomputed, Sums
from include.handover.comparison import Comparison, compare

NOON = 1_773_144_000
ALL = Cell(NOON, "all", "all", "EUR")
MUG = Cell(NOON, "product", "mug", "EUR")


def sums(**measures: int) -> Sums:
    return tuple(measures.get(name, 0) for name in MEASURES)


ORDER = sums(events=1, orders=1, items=1, revenue_minor=1000)
TWO = sums(events=2, orders=2, items=2, revenue_minor=2000)
NONE = sums()


def compared(speed: dict[Cell, Sums], recomputed: Recomputed) -> Comparison:
    return compare(["2026-03-10T12"], lambda hour: speed, lambda hour: recomputed)


def test_equal_layers_have_no_drift() -> None:
    found = compared({ALL: ORDER, MUG: ORDER}, {ALL: {Kind.GAINED: ORDER}, MUG: {Kind.GAINED: ORDER}})
    assert (found.cells, found.explained, found.unexplained, found.drift) == (2, 0, 0, 0.0)


def test_a_copy_beyond_the_window_explains_as_much_as_it_adds_and_no_more() -> None:
    kinds = {Kind.GAINED: ORDER, Kind.REPEATED: ORDER}
    found = compared({ALL: TWO}, {ALL: kinds})
    assert (found.explained, found.unexplained, found.rows()[0]["explained_by"]) == (1, 0, ["repeated"])
    three = sums(events=3, orders=3, items=3, revenue_minor=3000)
    assert compared({ALL: three}, {ALL: kinds}).unexplained == 1


def test_a_copy_that_the_speed_layer_did_not_count_needs_no_explanation() -> None:
    found = compared({ALL: ORDER}, {ALL: {Kind.GAINED: ORDER, Kind.REPEATED: ORDER}})
    assert (found.explained, found.unexplained) == (0, 0)


def test_an_event_that_only_the_speed_layer_has_is_unexplained() -> None:
    found = compared({ALL: ORDER}, {})
    assert (found.unexplained, found.rows()[0]["batch"]["orders"]) == (1, 0)


def test_an_event_that_the_speed_layer_lost_is_unexplained() -> None:
    assert compared({}, {ALL: {Kind.GAINED: ORDER}}).unexplained == 1


def test_an_id_of_two_events_explains_one_missing() -> None:
    found = compared({ALL: ORDER}, {ALL: {Kind.GAINED: TWO, Kind.REUSED: TWO}})
    assert (found.unexplained, found.rows()[0]["explained_by"]) == (0, ["reused"])


def test_a_copy_with_another_content_explains_both_directions() -> None:
    other = Cell(NOON, "product", "cup", "EUR")
    found = compared({other: ORDER}, {MUG: {Kind.GAINED: ORDER, Kind.CONTESTED: ORDER}, other: {Kind.DIFFERING: ORDER}})
    assert (found.explained, found.unexplained) == (2, 0)


def test_what_gave_way_to_an_earlier_copy_is_taken_off() -> None:
    assert compared({}, {ALL: {Kind.GAINED: ORDER, Kind.LOST: ORDER}}).unexplained == 0


def test_a_cent_too_much_is_unexplained_and_listed_first() -> None:
    cent = sums(events=1, orders=1, items=1, revenue_minor=1001)
    found = compared(
        {MUG: TWO, ALL: cent}, {MUG: {Kind.GAINED: ORDER, Kind.REPEATED: ORDER}, ALL: {Kind.GAINED: ORDER}}
    )
    assert (found.explained, found.unexplained) == (1, 1)
    assert found.rows()[0]["speed"] == {"revenue_minor": 1001}


def test_opposite_differences_do_not_cancel_in_the_drift() -> None:
    later = Cell(NOON + 10, "all", "all", "EUR")
    found = compared({ALL: ORDER}, {later: {Kind.GAINED: ORDER}})
    assert found.drift == 2.0
