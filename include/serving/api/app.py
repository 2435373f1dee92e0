"""The HTTP API: the application with its errors, tokens and life time."""

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Annotated, Final

from elasticsearch import BadRequestError, NotFoundError
from fastapi import Depends, FastAPI, HTTPException, Request, Security, status
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from include.config import Settings
from include.errors import ConfigurationError, PartUnavailableError
from include.names import VERSION
from include.serving.api import probes, recommending, routes
from include.serving.api.broadcast import Broadcast
from include.serving.api.measure import Measured
from include.serving.api.pages import CursorError
from include.serving.api.store import Store

_RETRY_SECONDS: Final = "2"


def tokens_of(settings: Settings) -> tuple[str, ...]:
    """The tokens that may read; empty when anyone on this machine may.

    Raises:
        ConfigurationError: If the API would listen beyond this machine without a token.
    """
    text = settings.api_tokens.get_secret_value() if settings.api_tokens else ""
    tokens = tuple(token for part in text.split(",") if (token := part.strip()))
    if not tokens and not _is_loopback(settings.platform_bind_host):
        raise ConfigurationError(
            f"PLATFORM_BIND_HOST is {settings.platform_bind_host}, which others can reach, and API_TOKENS is not set: "
            "set API_TOKENS to one or more long random texts, separated by commas"
        )
    return tokens


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def create_app(settings: Settings) -> FastAPI:
    """The application; it connects when it starts."""
    tokens = tokens_of(settings)
    bearer = HTTPBearer(auto_error=False, description="One of API_TOKENS.")

    def check_token(given: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]) -> None:
        if tokens and not (given and any(hmac.compare_digest(given.credentials.encode(), t.encode()) for t in tokens)):
            raise HTTPException(
                status.HTTP_401_UNAUTHORIZED,
                "a valid token is needed: Authorization: Bearer <one of API_TOKENS>",
                headers={"WWW-Authenticate": "Bearer"},
            )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        store = Store(settings)
        await store.open()
        app.state.store = store
        # At most one for each number of minutes that may be asked for.
        app.state.figures = {}
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
    app.add_middleware(Measured, app_state=app.state)
    app.include_router(probes.router)
    app.include_router(routes.router, dependencies=[Depends(check_token)])
    app.include_router(recommending.router, dependencies=[Depends(check_token)])
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
