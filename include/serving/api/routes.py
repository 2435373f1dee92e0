"""Routes for those who ask about the shop. Every answer says how fresh and complete it is."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from include.names import Alias
from include.serving.api.access import Scope, may_read
from include.serving.api.pages import page
from include.serving.api.questions import (
    EventQuestion,
    FraudQuestion,
    HealthQuestion,
    RatingsQuestion,
    SeriesQuestion,
    StockQuestion,
)
from include.serving.api.ratings import ratings_from, ratings_search
from include.serving.api.series import series_from, series_search
from include.serving.api.shared import SharedByQuestion
from include.serving.api.store import Store
from include.serving.freshness import iso
from include.serving.kpis import MAX_MINUTES, kpi_searches, kpis_from, range_of

STREAM_MINUTES: Final = 15
router = APIRouter(prefix="/v1")

Answer = dict[str, Any]

_FIGURES, _SEARCH, _FRAUD, _STOCK, _PLATFORM = (
    Depends(may_read(scope)) for scope in (Scope.FIGURES, Scope.SEARCH, Scope.FRAUD, Scope.STOCK, Scope.PLATFORM)
)


async def figures(store: Store, minutes: int) -> Answer:
    """The key figures of the last minutes."""
    since, until = range_of(datetime.now(UTC), minutes)
    return kpis_from(await store.searches_at_once(kpi_searches(since, until)), since, until).as_json()


async def with_freshness(store: Store, answer: Answer) -> Answer:
    """An answer that says how fresh the numbers are."""
    return {**answer, "freshness": (await store.freshness()).as_json(datetime.now(UTC))}


@router.get("/kpis", summary="Key figures of the last minutes", tags=["key figures"], dependencies=[_FIGURES])
async def kpis(request: Request, minutes: Annotated[int, Query(ge=1, le=MAX_MINUTES)] = 15) -> Answer:
    """Sales by currency, active users, conversion, average order value, cart abandonment, and each minute."""
    # What is kept for others must not keep this request alive.
    store: Store = request.app.state.store
    return await _shared(request, str(minutes), lambda: figures(store, minutes))


@router.get("/kpis/stream", summary="Key figures as they change", tags=["key figures"], dependencies=[_FIGURES])
async def stream(request: Request) -> StreamingResponse:
    """Server-sent events, one a second: ``kpis`` as ``/v1/kpis`` answers, or ``unavailable`` with the reason."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(request.app.state.broadcast.listen(), media_type="text/event-stream", headers=headers)


@router.get("/kpis/series", summary="Sums over time", tags=["key figures"], dependencies=[_FIGURES])
async def series(request: Request, question: Annotated[SeriesQuestion, Query()]) -> Answer:
    """Counts and money in buckets of 10 seconds to a day, by category, country, device, product or event type."""
    store: Store = request.app.state.store

    async def ask() -> Answer:
        since, until = question.span(datetime.now(UTC))
        found = await store.search(Alias.METRICS, series_search(question, since, until))
        return {"since": iso(since), "until": iso(until), "interval": question.interval, "series": series_from(found)}

    return await with_freshness(store, await _shared(request, question.model_dump_json(), ask))


@router.get("/events", summary="Search events and reviews", tags=["search"], dependencies=[_SEARCH])
async def events(request: Request, question: Annotated[EventQuestion, Query()]) -> Answer:
    """Full text over reviews and shop searches, filters, sorting, pages; money in cents."""
    field = question.sort.lstrip("-")
    order = {field: {"order": "desc" if question.sort.startswith("-") else "asc", "missing": "_last"}}
    return await _page(request, Alias.EVENTS, question, [order], "event_time")


@router.get("/ratings", summary="Ratings by product", tags=["search"], dependencies=[_SEARCH])
async def ratings(request: Request, question: Annotated[RatingsQuestion, Query()]) -> Answer:
    """Average and number of stars of the reviews that were written in the range."""
    store: Store = request.app.state.store

    async def ask() -> Answer:
        since, until = question.span(datetime.now(UTC))
        found = await store.search(Alias.EVENTS, ratings_search(question, since, until))
        return {"since": iso(since), "until": iso(until), "products": ratings_from(found)}

    return await with_freshness(store, await _shared(request, question.model_dump_json(), ask))


@router.get("/fraud-alerts", summary="Suspicions of fraud, newest first", tags=["fraud"], dependencies=[_FRAUD])
async def fraud_alerts(request: Request, question: Annotated[FraudQuestion, Query()]) -> Answer:
    """Alerts by severity, rule, user or order."""
    return await _page(request, Alias.FRAUD_ALERTS, question, [{"event_time": "desc"}], "event_time")


@router.get("/stock", summary="Stock, lowest first", tags=["stock"], dependencies=[_STOCK])
async def stock(request: Request, question: Annotated[StockQuestion, Query()]) -> Answer:
    """Level, status and forecast by product and warehouse."""
    return await _page(request, Alias.INVENTORY, question, [{"level": "asc"}], None)


@router.get(
    "/pipeline-health",
    summary="Observations of the platform, newest first",
    tags=["platform"],
    dependencies=[_PLATFORM],
)
async def pipeline_health(request: Request, question: Annotated[HealthQuestion, Query()]) -> Answer:
    """Streams, processes, tables, handovers: status, reason and numbers."""
    return await _page(request, Alias.PIPELINE_HEALTH, question, [{"time": "desc"}], "time")


async def _page(
    request: Request, alias: Alias, question: Any, sort: list[dict[str, Any]], time_field: str | None
) -> Answer:
    store: Store = request.app.state.store

    def ask() -> Awaitable[Answer]:
        return page(store, alias, question, sort, time_field, datetime.now(UTC))

    return await with_freshness(store, await _shared(request, question.model_dump_json(), ask))


async def _shared(request: Request, question: str, ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """A thousand people before the same dashboard are one question each half second."""
    answers: SharedByQuestion[Answer] = request.app.state.answers
    return await answers.get((request.scope["route"].path, question), ask)
