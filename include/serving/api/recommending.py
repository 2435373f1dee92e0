"""Recommendations: what was learnt, mixed with what the visitor looks at now."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request

from include.names import Alias
from include.recommendations.reranking import (
    MOST_VIEWED,
    beside,
    beside_in,
    last_views,
    lookup,
    served,
    viewed_in,
)
from include.serving.api.access import Scope, may_read
from include.serving.api.questions import Name
from include.serving.api.routes import with_freshness
from include.serving.api.store import Store

_MOST_NAMED: Final = 20
router = APIRouter(prefix="/v1")


@router.get(
    "/recommendations/{kind}/{subject}",
    summary="What to show",
    tags=["recommendations"],
    dependencies=[Depends(may_read(Scope.RECOMMENDATIONS))],
)
async def recommendations(
    request: Request,
    kind: Annotated[Literal["user", "product"], Path()],
    subject: Annotated[Name, Path()],
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    viewed: Annotated[
        list[Name] | None, Query(max_length=_MOST_NAMED, description="Products just viewed, the newest first.")
    ] = None,
    live: Annotated[bool, Query(description="For a user: find the products just viewed in the live events.")] = True,
) -> dict[str, Any]:
    """For a user or beside a product; what most customers like where nothing is known of it."""
    store: Store = request.app.state.store
    seen = list(dict.fromkeys(viewed or ()))[:MOST_VIEWED]
    asked = [{"index": Alias.RECOMMENDATIONS.value}, lookup(kind, subject)]
    if not seen and live and kind == "user":
        asked += [{"index": Alias.EVENTS.value}, last_views(subject, datetime.now(UTC))]
    learnt, *looked = await store.searches_at_once(asked)
    hits = learnt["hits"]["hits"]
    if not hits:
        raise HTTPException(404, f"there is no recommendation for the {kind} {subject}, and none for everybody yet")
    if looked:
        seen = viewed_in(looked[0])
    lists = beside_in(await store.search(Alias.RECOMMENDATIONS, beside(seen)), seen) if seen else {}
    return await with_freshness(store, served(hits[0]["_source"], (kind, subject), lists, limit))
