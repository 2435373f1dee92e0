"""What every reader does with an answer of Elasticsearch: refuse what is not whole, print money."""

from collections.abc import Mapping
from typing import Any, Final

from include.errors import PartUnavailableError
from include.names import Part

# The ``preference`` of whoever asks again and again: where nodes hold copies, each shows new documents at its own
# moment, and a total asked of one and then of another would go back.
SAME_COPY: Final = "platform"


def money(cents: int) -> str:
    """Cents as decimal text, for example ``-12.05``."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02d}"


def require_whole(answer: Mapping[str, Any]) -> None:
    """Refuse an answer that misses a part: half a sum is a wrong number.

    Raises:
        PartUnavailableError: If shards failed, the search timed out, or the alias is not there.
    """
    if "error" in answer:
        error = answer["error"]
        if error.get("type") == "index_not_found_exception":
            raise not_installed(str(error.get("index", "index")))
        raise PartUnavailableError(Part.ELASTICSEARCH, f"it refused a search: {error.get('reason', error)}")
    shards = answer["_shards"]
    if answer.get("timed_out") or shards["failed"]:
        reason = "timed out" if answer.get("timed_out") else f"failed on {shards['failed']} of {shards['total']} shards"
        raise PartUnavailableError(Part.ELASTICSEARCH, f"a search {reason}; a part of a sum is not shown as the sum")


def not_installed(name: str) -> PartUnavailableError:
    """The error of a search before the aliases were made."""
    return PartUnavailableError(
        Part.ELASTICSEARCH, f"it has no {name} yet; ./run.sh start makes it, or python main.py indices install"
    )
