"""Who may ask for what, and how often."""

import hmac
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from fastapi import HTTPException, Request, Security, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from include.config import Settings
from include.errors import ConfigurationError
from include.exposure import listed, require_secret

_BEARER: Final = HTTPBearer(auto_error=False, description="One of API_TOKENS.")


class Scope(StrEnum):
    """What a token may read."""

    FIGURES = "figures"
    SEARCH = "search"
    FRAUD = "fraud"
    STOCK = "stock"
    RECOMMENDATIONS = "recommendations"
    PLATFORM = "platform"


@dataclass(frozen=True)
class Token:
    """A token and what it may read."""

    text: str
    scopes: frozenset[Scope]


def tokens_of(settings: Settings) -> tuple[Token, ...]:
    """The tokens that may read; empty when anyone on this machine may.

    Raises:
        ConfigurationError: If the API would listen beyond this machine without a token, or a scope is unknown.
    """
    entries = listed(settings.api_tokens)
    require_secret(settings, "API_TOKENS", entries)
    return tuple(_token(place, entry) for place, entry in enumerate(entries, 1))


def _token(place: int, part: str) -> Token:
    text, _, named = part.partition(":")
    names = [name.strip() for name in named.split("+") if name.strip()]
    unknown = sorted(set(names) - set(Scope))
    if unknown or not text:
        # The token itself is a secret: it is told by its place.
        raise ConfigurationError(
            f"API_TOKENS: entry {place} "
            + (f"names the scope {unknown[0]!r}" if unknown else "has no token before ':'")
            + f"; write TOKEN, or TOKEN:{Scope.FIGURES}+{Scope.STOCK} with scopes of {', '.join(Scope)}"
        )
    return Token(text, frozenset(map(Scope, names)) or frozenset(Scope))


class Access:
    """Decides on each request.

    Args:
        tokens: Who may read; empty for anyone.
        per_minute: Requests of one caller in a minute; 0 for any number.
    """

    def __init__(self, tokens: tuple[Token, ...], per_minute: int) -> None:
        self._tokens = tokens
        self._limit: RateLimitItem | None = RateLimitItemPerMinute(per_minute) if per_minute else None
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def admit(self, scope: Scope, credentials: str | None, address: str) -> None:
        """Let a request pass.

        Args:
            scope: What it reads.
            credentials: The token that came with it.
            address: Where it came from, by which those without a token are told apart.

        Raises:
            HTTPException: 401 without a valid token, 403 with one that may not, 429 when there were too many.
        """
        place = self._place_of(credentials) if self._tokens else None
        if place is not None and scope not in self._tokens[place].scopes:
            allowed = ", ".join(sorted(self._tokens[place].scopes))
            raise HTTPException(
                status.HTTP_403_FORBIDDEN, f"this token may not read {scope}: it may read {allowed} (API_TOKENS)"
            )
        await self._count(address if place is None else f"token {place}")

    def _place_of(self, credentials: str | None) -> int:
        given = (credentials or "").encode()
        # All are compared, so that the time tells nothing.
        same = [hmac.compare_digest(given, token.text.encode()) for token in self._tokens]
        if True not in same:
            raise HTTPException(
                status.HTTP_401_UNAUTHORIZED,
                "a valid token is needed: Authorization: Bearer <one of API_TOKENS>",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return same.index(True)

    async def _count(self, caller: str) -> None:
        if self._limit is not None and not await self._limiter.hit(self._limit, caller):
            window = await self._limiter.get_window_stats(self._limit, caller)
            seconds = max(1, round(window.reset_time - time.time()))
            raise HTTPException(
                status.HTTP_429_TOO_MANY_REQUESTS,
                f"more than {self._limit.amount} requests in a minute (API_REQUESTS_PER_MINUTE)",
                headers={"Retry-After": str(seconds)},
            )


def may_read(scope: Scope) -> Callable[..., Awaitable[None]]:
    """A dependency of routes that lets pass who may read this."""

    async def check(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]) -> None:
        access: Access = request.app.state.access
        address = request.client.host if request.client else ""
        await access.admit(scope, given.credentials if given else None, address)

    return check
