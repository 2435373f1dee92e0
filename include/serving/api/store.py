"""Elasticsearch as the API uses it: bounded in time and number, errors as errors of the platform."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch, NotFoundError

from include.config import Settings
from include.errors import PartUnavailableError
from include.names import Alias, Part
from include.serving.answers import SAME_COPY, not_installed, require_whole
from include.serving.api.shared import Shared
from include.serving.client import connect_async, unavailable
from include.serving.freshness import Freshness, freshness_from, freshness_searches

TIMEOUT_SECONDS: Final = 5.0
CONNECTIONS: Final = 32
# How long a request waits for its turn before it is told to come again.
_TURN_SECONDS: Final = 2.0
_BUSY: Final = 429
_NOT_INSTALLED: Final = frozenset({"index_not_found_exception", "aliases_not_found_exception"})


class Store:
    """Searches; at most as many at a time as there are connections."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: AsyncElasticsearch | None = None
        self._turns = asyncio.Semaphore(CONNECTIONS)
        self.searches = 0
        self._freshness = Shared(self._ask_freshness)

    async def open(self) -> None:
        """Make the connection pool; it connects at the first request."""
        self._client = connect_async(self._settings, timeout_seconds=TIMEOUT_SECONDS, connections=CONNECTIONS)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[AsyncElasticsearch]:
        if self._client is None:
            raise RuntimeError("the store is not open")
        try:
            await asyncio.wait_for(self._turns.acquire(), _TURN_SECONDS)
        except TimeoutError as error:
            raise PartUnavailableError(Part.ELASTICSEARCH, "too many searches wait for it; come again") from error
        self.searches += 1
        try:
            yield self._client
        except NotFoundError as error:
            if error.error in _NOT_INSTALLED:
                raise not_installed(str(error.info["error"].get("index", "alias"))) from error
            raise
        except ApiError as error:
            if error.status_code == _BUSY or error.status_code >= 500:
                raise PartUnavailableError(Part.ELASTICSEARCH, f"it answers {error.status_code}") from error
            raise
        except TransportError as error:
            raise unavailable(self._settings, error) from error
        finally:
            self._turns.release()

    async def search(self, alias: Alias | None, body: Mapping[str, Any]) -> dict[str, Any]:
        """One search; refuses an answer that misses a part."""
        async with self._turn() as client:
            # A view for paging has chosen its copies already.
            where: dict[str, Any] = {"index": alias.value, "preference": SAME_COPY} if alias else {}
            answer = await client.search(**where, timeout=f"{TIMEOUT_SECONDS - 1:g}s", **body)
        require_whole(answer.body)
        found: dict[str, Any] = answer.body
        return found

    async def searches_at_once(self, searches: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Several searches in one request, ``metrics`` unless their header names another alias."""
        async with self._turn() as client:
            answer = await client.msearch(index=Alias.METRICS.value, searches=searches)
        responses: list[dict[str, Any]] = answer["responses"]
        for response in responses:
            require_whole(response)
        return responses

    async def freshness(self) -> Freshness:
        """How fresh and complete the numbers are, asked once for all within half a second."""
        return await self._freshness.get()

    async def _ask_freshness(self) -> Freshness:
        return freshness_from(await self.searches_at_once(freshness_searches()))

    async def open_point_in_time(self, alias: Alias, keep_alive: str) -> str:
        """A view of an alias that stays as it is for paging."""
        async with self._turn() as client:
            return str((await client.open_point_in_time(index=alias.value, keep_alive=keep_alive))["id"])

    async def close_point_in_time(self, view: str) -> None:
        """Give a view back."""
        async with self._turn() as client:
            await client.close_point_in_time(id=view)

    async def ready(self) -> None:
        """Check that every alias is there.

        Raises:
            PartUnavailableError: If Elasticsearch does not answer or lacks an alias.
        """
        async with self._turn() as client:
            found = await client.indices.get_alias(name=[alias.value for alias in Alias], allow_no_indices=True)
        present = {name for entry in found.body.values() for name in entry["aliases"]}
        if missing := sorted({alias.value for alias in Alias} - present):
            raise not_installed(", ".join(missing))
