"""What may be shown of a refused event: its shape, and the values of fields that its contract knows as not personal."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from include.contracts import strict_json
from include.contracts.registry import contracts_by_topic
from include.contracts.rules import MASK
from include.names import Topic

_LONGEST: Final = 200


@lru_cache(maxsize=16)
def _schema(topic: Topic) -> Mapping[str, Any]:
    return contracts_by_topic()[topic].schema


def masked(document: Any, topic: Topic) -> Any:
    """A document with personal values masked.

    Fields that the contract does not know are masked as well: a misspelt ``user_id`` is still a person's.
    """
    return _masked(document, _schema(topic))


def _masked(value: Any, schema: Mapping[str, Any] | None) -> Any:
    if schema is None or schema.get("x-personal"):
        return MASK
    if isinstance(value, dict):
        fields = schema.get("properties", {})
        return {_name(name): _masked(inner, fields.get(name)) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner, schema.get("items")) for inner in value]
    if "properties" in schema or "items" in schema:
        # Text where an object belongs may hold what is personal in the object.
        return MASK
    return value[:_LONGEST] if isinstance(value, str) else value


def _name(name: str) -> str:
    # A name that is none, for example an address as a key.
    return name if len(name) <= 64 and name.isidentifier() else MASK


def shown(value: bytes | None, topic: Topic) -> str:
    """Bytes as text that may be shown; what is no JSON object is only described."""
    if value is None:
        return "no value"
    try:
        document = strict_json.loads(value.decode("utf-8"))
    except RecursionError:
        return f"{len(value)} bytes, nested too deeply"
    except UnicodeDecodeError as error:
        return f"{len(value)} bytes, not UTF-8 at byte {error.start}"
    except json.JSONDecodeError as error:
        return f"{len(value)} bytes, no JSON: {error.msg} at character {error.pos}"
    except ValueError as error:
        return f"{len(value)} bytes, no strict JSON: {error}"
    if not isinstance(document, dict):
        return f"{len(value)} bytes, a JSON {type(document).__name__} instead of an object"
    return json.dumps(masked(document, topic), ensure_ascii=False)
