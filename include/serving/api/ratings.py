"""Ratings of products, from the reviews behind the alias ``events``: a review that was sent twice is one document."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from include.serving.api.questions import RatingsQuestion
from include.serving.freshness import iso

_ORDERS: Final = {
    "-reviews": {"_count": "desc"},
    "rating": {"rating": "asc"},
    "-rating": {"rating": "desc"},
}
_STARS: Final = 5


def ratings_search(question: RatingsQuestion, since: datetime, until: datetime) -> dict[str, Any]:
    """The average, and how many reviews gave how many stars, by product."""
    filters: list[dict[str, Any]] = [
        {"term": {"event_type": "review_submitted"}},
        {"range": {"event_time": {"gte": iso(since), "lt": iso(until)}}},
    ]
    if question.product_id:
        filters.append({"terms": {"product_id": question.product_id}})
    of_product = {"field": "product_id", "size": question.top, "order": _ORDERS[question.sort]}
    return {
        "size": 0,
        "track_total_hits": False,
        "query": {"bool": {"filter": filters}},
        "aggs": {
            "products": {
                "terms": of_product,
                "aggs": {
                    "rating": {"avg": {"field": "rating"}},
                    "stars": {"terms": {"field": "rating", "size": _STARS}},
                },
            }
        },
    }


def ratings_from(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One entry for each product, ready to be sent."""
    return [
        {
            "product_id": found["key"],
            "reviews": found["doc_count"],
            "rating": round(found["rating"]["value"], 2),
            "stars": {str(star["key"]): star["doc_count"] for star in found["stars"]["buckets"]},
        }
        for found in answer["aggregations"]["products"]["buckets"]
    ]
