"""What is served now, asked by a program without an event loop."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from elasticsearch import Elasticsearch

from include.errors import ConfigurationError
from include.names import Alias
from include.recommendations.reranking import MOST_VIEWED, beside, beside_in, last_views, lookup, served, viewed_in
from include.serving.answers import require_whole

_TIMEOUT: Final = "4s"


def recommend(client: Elasticsearch, kind: str, subject: str, viewed: Sequence[str], most: int) -> dict[str, Any]:
    """What a visitor would be shown.

    Args:
        client: Connection to Elasticsearch.
        kind: ``user`` or ``product``.
        subject: Which one.
        viewed: Products just viewed, the newest first; for a user the live events say it where none is given.
        most: How many items.

    Raises:
        ConfigurationError: If nothing was published yet.
        PartUnavailableError: If Elasticsearch does not answer whole.
    """

    def ask(alias: Alias, body: dict[str, Any]) -> dict[str, Any]:
        answer = client.search(index=alias.value, timeout=_TIMEOUT, **body)
        require_whole(answer.body)
        found: dict[str, Any] = answer.body
        return found

    hits = ask(Alias.RECOMMENDATIONS, lookup(kind, subject))["hits"]["hits"]
    if not hits:
        raise ConfigurationError(
            "no recommendations were published yet: python main.py train-recommendations, or the DAG recommendations"
        )
    seen = list(dict.fromkeys(viewed))[:MOST_VIEWED]
    if not seen and kind == "user":
        seen = viewed_in(ask(Alias.EVENTS, last_views(subject, datetime.now(UTC))))
    lists = beside_in(ask(Alias.RECOMMENDATIONS, beside(seen)), seen) if seen else {}
    return served(hits[0]["_source"], (kind, subject), lists, most)
