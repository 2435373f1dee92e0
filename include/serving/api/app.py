"""The HTTP API: the application with its errors, tokens and life time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from elasticsearch import BadRequestError, NotFoundError
from fastapi import FastAPI, Request, status
from fastapi.responses import JSONResponse

from include.config import Settings
from include.errors import PartUnavailableError
from include.names import VERSION
from include.serving.api import probes, recommending, routes
from include.serving.api.access import Access, tokens_of
from include.serving.api.broadcast import Broadcast
from include.serving.api.measure import Measured
from include.serving.api.pages import CursorError
from include.serving.api.shared import SharedByQuestion
from include.serving.api.store import Store

_RETRY_SECONDS: Final = "2"


def create_app(settings: Settings) -> FastAPI:
    """The application; it connects when it starts."""
    access = Access(tokens_of(settings), settings.api_requests_per_minute)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        store = Store(settings)
        await store.open()
        app.state.store = store
        app.state.answers = SharedByQuestion()
        app.state.broadcast = Broadcast(lambda: routes.figures(store, routes.STREAM_MINUTES))
        yield
        await app.state.broadcast.close()
        await store.close()

    app = FastAPI(
        title="Real-time data platform",
        version=VERSION,
        summary="Live key figures, search, fraud alerts, stock and recommendations; every answer says how fresh it is.",
        lifespan=lifespan,
    )
    app.state.access = access
    app.add_middleware(Measured, app_state=app.state)
    app.include_router(probes.router)
    app.include_router(routes.router)
    app.include_router(recommending.router)
    _handle_errors(app)
    return app


def _handle_errors(app: FastAPI) -> None:
    @app.exception_handler(PartUnavailableError)
    async def unavailable(_: Request, error: PartUnavailableError) -> JSONResponse:
        body = {"detail": str(error), "part": error.part}
        return JSONResponse(body, status.HTTP_503_SERVICE_UNAVAILABLE, headers={"Retry-After": _RETRY_SECONDS})

    @app.exception_handler(CursorError)
    async def wrong_cursor(_: Request, error: CursorError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status.HTTP_400_BAD_REQUEST)

    @app.exception_handler(NotFoundError)
    @app.exception_handler(BadRequestError)
    async def outdated_cursor(request: Request, error: NotFoundError | BadRequestError) -> JSONResponse:
        # Only a cursor brings text of the caller's to Elasticsearch that it may refuse.
        if "cursor" not in request.query_params:
            raise error
        return JSONResponse(
            {"detail": "cursor: its view has ended (it lives for two minutes); begin with the first page"},
            status.HTTP_410_GONE,
        )
