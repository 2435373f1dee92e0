"""The contracts as columns: which column a field becomes, and of which type, in every table that holds events."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from include.contracts.registry import Contract, load_contracts
from include.contracts.rules import field_name
from include.errors import ConfigurationError
from include.names import RAW_TOPICS, Topic

# Columns are named like the innermost field, but for these.
_RENAMED: Final[Mapping[tuple[str, ...], str]] = {("payment", "method"): "payment_method"}
# What purchases call the country of all other events.
_ALSO: Final[Mapping[tuple[Topic, tuple[str, ...]], str]] = {(Topic.PURCHASES, ("shipping_country",)): "country"}


@dataclass(frozen=True)
class Leaf:
    """A field that holds a value or an array, not an object.

    Attributes:
        path: Where it is in the event.
        json_type: Type in the contract.
        spark_type: Type of its column.
    """

    path: tuple[str, ...]
    json_type: str
    spark_type: str


@dataclass(frozen=True)
class Column:
    """A column of the conformed event.

    Attributes:
        name: Its name.
        spark_type: Its type.
        sources: The field that it comes from, for each topic that has it.
    """

    name: str
    spark_type: str
    sources: Mapping[Topic, Leaf]


def spark_type(schema: Mapping[str, Any]) -> str:
    """The Spark type of a field: decimals for money, instants as timestamps, whole numbers as wide as their range."""
    if "x-decimal" in schema:
        precision, scale = schema["x-decimal"]
        return f"decimal({precision},{scale})"
    if schema.get("format") == "date-time":
        return "timestamp"
    if schema["type"] == "integer":
        limit = max(abs(schema.get("minimum", 0)), abs(schema.get("maximum", schema.get("const", 2**31))))
        return "int" if limit < 2**31 else "bigint"
    if schema["type"] == "array":
        fields = ",".join(f"{name}:{spark_type(field)}" for name, field in schema["items"]["properties"].items())
        return f"array<struct<{fields}>>"
    return {"string": "string", "number": "double", "boolean": "boolean"}[schema["type"]]


def leaves(schema: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """The leaves of an object's schema, in the contract's order."""
    for name, field in schema["properties"].items():
        if field["type"] == "object":
            yield from leaves(field, (*path, name))
        else:
            yield Leaf((*path, name), field["type"], spark_type(field))


def column_name(path: tuple[str, ...]) -> str:
    """The conformed event's column for a field."""
    return _RENAMED.get(path, path[-1])


@lru_cache(maxsize=1)
def conformed_columns() -> tuple[Column, ...]:
    """The columns of the conformed event, after those of the record; all versions of all families together.

    Raises:
        ConfigurationError: If two contracts give one column different types, or take it from different places.
    """
    found: dict[str, tuple[str, dict[Topic, Leaf]]] = {}
    for contract in _in_order_of_topics(load_contracts()):
        for leaf in leaves(contract.schema):
            names = [column_name(leaf.path)]
            also = _ALSO.get((contract.topic, leaf.path))
            for name in [*names, also] if also else names:
                kind, sources = found.setdefault(name, (leaf.spark_type, {}))
                if kind != leaf.spark_type or sources.get(contract.topic, leaf).path != leaf.path:
                    raise ConfigurationError(
                        f"{contract.name}.v{contract.version}: {field_name(leaf.path)} is {leaf.spark_type}, but the "
                        f"column {name} of other events is {kind}: give the field their type, or another name"
                    )
                sources[contract.topic] = leaf
    return tuple(Column(name, kind, sources) for name, (kind, sources) in found.items())


def _in_order_of_topics(contracts: Iterable[Contract]) -> list[Contract]:
    return sorted(contracts, key=lambda contract: (RAW_TOPICS.index(contract.topic), contract.version))
