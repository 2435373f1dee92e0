"""What is served to a visitor: what was learnt of them, mixed with what goes with the products they look at now."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from include.serving.freshness import iso

EVERYBODY: Final = "everybody"
# A look of this morning says nothing of what somebody wants now.
SESSION: Final = timedelta(minutes=30)
MOST_VIEWED: Final = 3
_LOOKS: Final = ("product_view", "add_to_cart")
_READ: Final = 40
# In a sum of 1 / (rank + this), the first places count more, but no single list decides (reciprocal rank fusion).
_SOFT: Final = 10
# How much a list counts beside what was learnt: that of the newest look most.
_WEIGHTS: Final = (1.0, 0.7, 0.5)


def lookup(kind: str, subject: str) -> dict[str, Any]:
    """The search for what was learnt of a user or a product, or of everybody where nothing was."""
    wanted = {"bool": {"filter": [{"term": {"subject_kind": kind}}, {"term": {"subject_id": subject}}]}}
    # Constant as well: a term that one document of thousands has would score more than any boost.
    anybody = {"constant_score": {"filter": {"term": {"subject_kind": EVERYBODY}}, "boost": 1}}
    return {
        "size": 1,
        "track_total_hits": False,
        "query": {"bool": {"should": [{"constant_score": {"filter": wanted, "boost": 2}}, anybody]}},
    }


def last_views(user: str, now: datetime) -> dict[str, Any]:
    """The search for the products that a user looks at now, newest first; in the alias ``events``."""
    return {
        "size": _READ,
        "track_total_hits": False,
        "query": {
            "bool": {
                "filter": [
                    {"term": {"user_id": user}},
                    {"terms": {"event_type": list(_LOOKS)}},
                    {"range": {"event_time": {"gte": iso(now - SESSION)}}},
                ]
            }
        },
        "sort": [{"event_time": "desc"}],
        "_source": ["product_id"],
    }


def viewed_in(answer: Mapping[str, Any]) -> list[str]:
    """The products of ``last_views``, each once, the newest first."""
    found = [hit["_source"].get("product_id") for hit in answer["hits"]["hits"]]
    return list(dict.fromkeys(product for product in found if product))[:MOST_VIEWED]


def beside(products: Sequence[str]) -> dict[str, Any]:
    """The search for what goes with products."""
    return {
        "size": len(products),
        "track_total_hits": False,
        "query": {
            "bool": {"filter": [{"term": {"subject_kind": "product"}}, {"terms": {"subject_id": list(products)}}]}
        },
    }


def beside_in(answer: Mapping[str, Any], products: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The lists of ``beside``, by product, in the order of the products; empty for those of which nothing is known."""
    found = {hit["_source"]["subject_id"]: hit["_source"].get("items", []) for hit in answer["hits"]["hits"]}
    return {product: found.get(product, []) for product in products}


def reranked(
    learnt: Sequence[Mapping[str, Any]], lists: Mapping[str, Sequence[Mapping[str, Any]]], most: int
) -> list[dict[str, Any]]:
    """The items to show, best first; what the visitor has just looked at is not among them.

    Args:
        learnt: Items of the user, best first.
        lists: Items that go with the products just viewed, the newest first.
        most: How many to give.
    """
    if not lists:
        return [dict(item) for item in learnt[:most]]
    items: dict[str, dict[str, Any]] = {}
    scores: dict[str, float] = {}
    sources: list[tuple[float, str | None, Sequence[Mapping[str, Any]]]] = [(1.0, None, learnt)]
    sources += [(weight, viewed, found) for weight, (viewed, found) in zip(_WEIGHTS, lists.items(), strict=False)]
    for weight, viewed, found in sources:
        for place, item in enumerate(found, 1):
            name = item["product_id"]
            if name in lists:
                continue
            scores[name] = scores.get(name, 0.0) + weight / (_SOFT + place)
            items.setdefault(name, {**item, **({"reason": f"goes with {viewed}"} if viewed else {})})
    order = sorted(items, key=lambda name: (-scores[name], name))
    return [{**items[name], "score": round(scores[name], 6)} for name in order[:most]]


def served(
    found: Mapping[str, Any],
    asked: tuple[str, str],
    lists: Mapping[str, Sequence[Mapping[str, Any]]],
    most: int,
) -> dict[str, Any]:
    """The answer to a visitor.

    Args:
        found: The document that ``lookup`` found.
        asked: Kind and subject of the question.
        lists: Items that go with the products just viewed, the newest first.
        most: How many items to give.
    """
    return {
        "kind": asked[0],
        "subject": asked[1],
        "personal": found["subject_kind"] != EVERYBODY,
        "viewed": list(lists),
        "items": reranked(found.get("items", []), lists, most),
        "model": found.get("model"),
        "model_version": found.get("model_version"),
        "trained_at": found.get("trained_at"),
        "data_until": found.get("data_until"),
    }
