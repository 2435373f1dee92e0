"""Spark's view of the contracts: the columns of the conformed event and their types."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from include.contracts.registry import Contract, load_contracts
from include.contracts.rules import field_name
from include.names import RAW_TOPICS, Topic

# Columns are named like the innermost field, but for these.
_RENAMED: Final[Mapping[tuple[str, ...], str]] = {("payment", "method"): "payment_method"}
# What purchases call the country of all other events.
_ALSO: Final[Mapping[tuple[Topic, tuple[str, ...]], str]] = {(Topic.PURCHASES, ("shipping_country",)): "country"}

RECORD_COLUMNS: Final = ("topic", "partition", "offset", "kafka_time")


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
    """The columns of the conformed event, after those of the record; all versions of all families together."""
    found: dict[str, tuple[str, dict[Topic, Leaf]]] = {}
    for contract in _in_order_of_topics():
        for leaf in leaves(contract.schema):
            names = [column_name(leaf.path)]
            also = _ALSO.get((contract.topic, leaf.path))
            for name in [*names, also] if also else names:
                kind, sources = found.setdefault(name, (leaf.spark_type, {}))
                if kind != leaf.spark_type or sources.get(contract.topic, leaf).path != leaf.path:
                    raise TypeError(f"{contract.name}.v{contract.version}: {field_name(leaf.path)} is no {kind}")
                sources[contract.topic] = leaf
    return tuple(Column(name, kind, sources) for name, (kind, sources) in found.items())


def _in_order_of_topics() -> list[Contract]:
    return sorted(load_contracts(), key=lambda contract: (RAW_TOPICS.index(contract.topic), contract.version))


def conformed_sql(typed: str) -> str:
    """SQL of the conformed event as a struct.

    Args:
        typed: The structure that ``plain.typed_schema`` describes, of a valid event.
    """
    fields = ", ".join(f"'{column.name}', {_conformed(column, typed)}" for column in conformed_columns())
    return f"named_struct({fields})"


def _conformed(column: Column, typed: str) -> str:
    topics: dict[Leaf, list[str]] = {}
    for topic, leaf in column.sources.items():
        topics.setdefault(leaf, []).append(f"'{topic}'")
    cases = [f"WHEN topic IN ({', '.join(names)}) THEN {_cast(leaf, typed)}" for leaf, names in topics.items()]
    everywhere = len(topics) == 1 and len(column.sources) == len(RAW_TOPICS)
    return _cast(next(iter(topics)), typed) if everywhere else f"CASE {' '.join(cases)} END"


def _cast(leaf: Leaf, typed: str) -> str:
    # Names and types of the items' fields are those of the column, in the same order: one cast does all.
    value = ".".join((typed, *leaf.path))
    return value if leaf.spark_type in ("string", "double") else f"try_cast({value} AS {leaf.spark_type})"
