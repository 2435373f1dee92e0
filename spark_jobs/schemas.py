"""Spark's view of the contracts: the conformed event as SQL."""

from typing import Final

from include.contracts.columns import Column, Leaf, conformed_columns, spark_type
from include.names import RAW_TOPICS

__all__ = ["RECORD_COLUMNS", "Column", "Leaf", "conformed_columns", "conformed_sql", "spark_type"]

RECORD_COLUMNS: Final = ("topic", "partition", "offset", "kafka_time")


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
