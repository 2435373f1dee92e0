"""Connections to Elasticsearch, and its silence told as an error of the platform."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from elastic_transport import ConnectionError as NoConnection
from elastic_transport import TlsError
from elasticsearch import AsyncElasticsearch, Elasticsearch

from include.config import Settings
from include.errors import PartUnavailableError
from include.names import Part

_TIMEOUT_SECONDS: Final = 10.0
_POOL_SIZE: Final = 20


def _options(settings: Settings, timeout_seconds: float, connections: int) -> dict[str, Any]:
    key = settings.elasticsearch_api_key
    return {
        "hosts": settings.search_urls,
        "api_key": key.get_secret_value() if key else None,
        **({"ca_certs": str(settings.elasticsearch_ca_file)} if settings.elasticsearch_ca_file else {}),
        "request_timeout": timeout_seconds,
        "connections_per_node": connections,
        # Who waits for an answer decides whether to ask again; unseen, the client only passes over nodes that are away.
        "max_retries": len(settings.search_urls) - 1,
        "retry_on_timeout": False,
    }


def connect(settings: Settings, *, timeout_seconds: float = _TIMEOUT_SECONDS) -> Elasticsearch:
    """A client with a connection pool; it connects at its first request, and the caller closes it."""
    return Elasticsearch(**_options(settings, timeout_seconds, _POOL_SIZE))


def connect_async(
    settings: Settings, *, timeout_seconds: float = _TIMEOUT_SECONDS, connections: int = _POOL_SIZE
) -> AsyncElasticsearch:
    """The same for asynchronous code; requests beyond the pool's size wait for a free connection."""
    return AsyncElasticsearch(**_options(settings, timeout_seconds, connections))


@contextmanager
def reachable(settings: Settings) -> Iterator[None]:
    """Turn a connection that fails inside the block into an error that names the part.

    Raises:
        PartUnavailableError: If Elasticsearch does not answer, or not in time.
    """
    try:
        yield
    except (NoConnection, TlsError, TimeoutError) as error:
        raise unavailable(settings, error) from error


def unavailable(settings: Settings, error: Exception) -> PartUnavailableError:
    """The error of a request that got no answer."""
    return PartUnavailableError(
        Part.ELASTICSEARCH,
        f"no answer at {' or '.join(settings.search_urls)} ({type(error).__name__}); start it: ./run.sh start",
    )
