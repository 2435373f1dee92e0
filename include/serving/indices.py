"""Index templates and first indices: everything that must be in Elasticsearch before the first document."""

import json
from pathlib import Path
from typing import Any, Final

from elasticsearch import BadRequestError, Elasticsearch

from include.errors import ConfigurationError
from include.names import Alias
from include.serving.aliases import create_index, indices_behind, numbered

TEMPLATE_DIR: Final = Path(__file__).parent / "index_templates"

# Additive documents of the speed layer, one index for each segment.
SPEED_PREFIX: Final = "metrics-speed"
# Distinct users and sessions, one document for each minute.
ACTIVITY_PREFIX: Final = "metrics-activity"
# Documents of one day that a batch run wrote: metrics-batch-<day>-<run>.
BATCH_PREFIX: Final = "metrics-batch"

_FIRST: Final = {alias: (alias.value,) for alias in Alias} | {Alias.METRICS: (SPEED_PREFIX, ACTIVITY_PREFIX)}
# Several writers name the index they write metrics into; elsewhere writes go to the alias.
_WRITTEN_BY_ALIAS: Final = frozenset(Alias) - {Alias.METRICS}
# Settings of a template that may change on an index in use.
_DYNAMIC_SETTINGS: Final = ("refresh_interval", "auto_expand_replicas")


def template_of(alias: Alias) -> dict[str, Any]:
    """The index template of an alias, as it is in ``index_templates/<alias>.json``."""
    template: dict[str, Any] = json.loads((TEMPLATE_DIR / f"{alias.value}.json").read_text(encoding="utf-8"))
    return template


def install(client: Elasticsearch) -> list[str]:
    """Put the templates, make the first index of each alias, and bring indices in use up to date.

    It may run at any time and any number of times, also in two processes at once.

    Returns:
        Names of the indices that it made.

    Raises:
        ConfigurationError: If a template does not fit an index in use, or an index has the name of an alias; says
            which and the way out. The templates of the other aliases may be in place then.
    """
    made: list[str] = []
    for alias in Alias:
        template = template_of(alias)
        behind = indices_behind(client, alias)
        if behind:
            _update(client, alias, behind, template["template"])
        client.indices.put_index_template(name=alias.value, **template)
        made += _first_indices(client, alias, behind)
    return made


def _first_indices(client: Elasticsearch, alias: Alias, behind: list[str]) -> list[str]:
    if not behind and client.indices.exists(index=alias.value):
        raise ConfigurationError(
            f"{alias.value} is an index, where the platform needs an alias of this name: somebody wrote to it before "
            f"the templates were there. Copy what is needed out of it, delete it, and run this again."
        )
    missing = [
        numbered(prefix, 1) for prefix in _FIRST[alias] if not any(name.startswith(f"{prefix}-") for name in behind)
    ]
    writes = alias in _WRITTEN_BY_ALIAS
    return [index for index in missing if create_index(client, index, behind=alias, writes=writes)]


def _update(client: Elasticsearch, alias: Alias, behind: list[str], template: dict[str, Any]) -> None:
    try:
        client.indices.put_mapping(index=behind, **template["mappings"])
    except BadRequestError as error:
        raise ConfigurationError(
            f"the mapping of {alias.value} cannot be changed in {', '.join(behind)}: {_reason(error)}. "
            f"Rebuild the index with the new mapping: python main.py reindex {alias.value}"
        ) from error
    wanted = template["settings"]["index"]
    client.indices.put_settings(index=behind, settings={name: wanted[name] for name in _DYNAMIC_SETTINGS})


def _reason(error: BadRequestError) -> str:
    body = error.body if isinstance(error.body, dict) else {}
    reason: str = body.get("error", {}).get("reason", str(error))
    return reason
