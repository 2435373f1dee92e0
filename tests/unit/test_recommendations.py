"""Deciding on a model, and mixing what was learnt with what a visitor looks at."""

from datetime import UTC, datetime
from typing import Any

import pytest

from include.recommendations.decision import Quality, decide
from include.recommendations.reranking import last_views, reranked, served, viewed_in

POPULAR = Quality(200, 0.15, 0.6, 0.02)
SHOWN = {"kind": "personal", "recall": 0.30}


def items(*names: str) -> list[dict[str, Any]]:
    return [{"product_id": name, "score": 1 / place, "reason": "personal"} for place, name in enumerate(names, 1)]


def names(found: list[dict[str, Any]]) -> list[str]:
    return [item["product_id"] for item in found]


@pytest.mark.parametrize(
    ("personal", "shown", "publish", "why"),
    [
        (Quality(200, 0.30), None, "personal", "recall 0.300 against 0.150"),
        (Quality(200, 0.16), None, "popular", "not clearly better"),
        (Quality(19, 0.90), None, "popular", "only 19 customers"),
        (Quality(200, 0.28), SHOWN, "personal", "recall 0.280"),
        (Quality(200, 0.26), SHOWN, None, "worse than what is shown"),
        (Quality(200, 0.16), SHOWN, None, "not clearly better"),
        (Quality(200, 0.26), {"kind": "popular", "recall": 0.3}, "personal", "recall 0.260"),
        (Quality(), None, "popular", "only 0 customers"),
    ],
)
def test_a_model_is_shown_when_it_is_clearly_better_and_not_worse_than_the_last(
    personal: Quality, shown: dict[str, Any] | None, publish: str | None, why: str
) -> None:
    found = decide(personal, POPULAR, shown)

    assert found.publish == publish
    assert why in found.reason


def test_without_a_look_the_learnt_order_stays() -> None:
    assert reranked(items("a", "b", "c"), {}, 2) == items("a", "b")


def test_what_goes_with_the_newest_look_comes_first_and_the_look_itself_is_left_out() -> None:
    found = reranked(items("a", "b", "seen", "c"), {"seen": items("x", "b"), "before": items("y", "z")}, 5)

    # What both lists hold gains most; the newest look counts more than the one before it.
    assert names(found) == ["b", "a", "x", "c", "y"]
    assert {item["product_id"]: item["reason"] for item in found} == {
        "a": "personal",
        "b": "personal",
        "c": "personal",
        "x": "goes with seen",
        "y": "goes with before",
    }


def test_the_last_looks_are_those_of_the_session_each_once() -> None:
    body = last_views("u-1", datetime(2026, 3, 2, 12, tzinfo=UTC))
    hits = [{"_source": {"product_id": name}} for name in ("p1", "p2", "p1", "p3", "p4")] + [{"_source": {}}]

    assert body["query"]["bool"]["filter"][2] == {"range": {"event_time": {"gte": "2026-03-02T11:30:00.000Z"}}}
    assert viewed_in({"hits": {"hits": hits}}) == ["p1", "p2", "p3"]


def test_an_answer_says_whether_it_is_personal() -> None:
    found = {"subject_kind": "everybody", "items": items("a"), "model_version": "7"}
    answer = served(found, ("user", "u-9"), {}, 10)

    assert (answer["personal"], answer["subject"], names(answer["items"])) == (False, "u-9", ["a"])
