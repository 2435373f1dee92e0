"""The event contracts: JSON Schema files beside this module, one per event family and version."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from include.errors import ConfigurationError
from include.names import Topic

CONTRACTS_DIR: Final = Path(__file__).resolve().parent
_FILE_NAME: Final = re.compile(r"^(?P<name>[a-z_]+)\.v(?P<version>\d+)\.json$")


@dataclass(frozen=True)
class Contract:
    """One version of one event family's contract.

    Attributes:
        name: Family, for example ``purchase``.
        version: What the events' ``schema_version`` says.
        topic: Kafka topic that carries the family.
        key_field: Field whose value is the Kafka key, so that its events stay in order.
        schema: The JSON Schema, read-only by convention.
    """

    name: str
    version: int
    topic: Topic
    key_field: str
    schema: Mapping[str, Any] = field(compare=False)


def _read(path: Path) -> Contract:
    match = _FILE_NAME.match(path.name)
    if match is None:
        raise ConfigurationError(f"{path.name}: contract files are named <family>.v<version>.json")
    schema = json.loads(path.read_text(encoding="utf-8"))
    return Contract(
        name=match["name"],
        version=int(match["version"]),
        topic=Topic(schema["x-topic"]),
        key_field=schema["x-key"],
        schema=MappingProxyType(schema),
    )


@lru_cache(maxsize=1)
def load_contracts() -> tuple[Contract, ...]:
    """All contracts, ordered by family and version."""
    contracts = (_read(path) for path in CONTRACTS_DIR.glob("*.json"))
    return tuple(sorted(contracts, key=lambda contract: (contract.name, contract.version)))


def contracts_by_topic() -> dict[Topic, Contract]:
    """The newest contract of each raw topic."""
    return {contract.topic: contract for contract in load_contracts()}
