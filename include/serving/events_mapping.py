"""The mapping of the alias ``events``, held to the contracts: a field for each column, of a type that holds it."""

import json
from typing import Any, Final

from include.contracts.columns import Column, conformed_columns
from include.contracts.registry import load_contracts
from include.names import Alias
from include.serving.indices import TEMPLATE_DIR, template_of

# Types that hold every value of a column. The first is what a new field gets; a field in use keeps what it has, since
# Elasticsearch does not change the type of a field.
TYPES: Final = {
    "string": ("keyword", "text"),
    "int": ("integer", "long"),
    "bigint": ("long",),
    "double": ("double",),
    "boolean": ("boolean",),
    "timestamp": ("date",),
    "decimal": ("long",),
}
# New fields stand before the stamps, which end the mapping.
_BEFORE: Final = '        "processed_at":'
# Longer texts are searched by their words, shorter ones are compared as a whole.
_LONGEST_KEYWORD: Final = 512


def index_field(column: Column) -> str:
    """The field of the index for a column; money is kept in cents."""
    return f"{column.name}_minor" if column.spark_type.startswith("decimal") else column.name


def types_of(spark_type: str) -> tuple[str, ...]:
    """The types of Elasticsearch that hold a column's values."""
    return ("object",) if spark_type.startswith("array") else TYPES[spark_type.split("(")[0]]


def missing_fields() -> dict[str, dict[str, Any]]:
    """Fields that the contracts have and the template has not, with their definitions."""
    known = template_of(Alias.EVENTS)["template"]["mappings"]["properties"]
    return {
        index_field(column): _definition(column) for column in conformed_columns() if index_field(column) not in known
    }


def _definition(column: Column) -> dict[str, Any]:
    if column.spark_type == "string" and _longest(column) > _LONGEST_KEYWORD:
        return {"type": "text"}
    return {"type": types_of(column.spark_type)[0]}


def _longest(column: Column) -> int:
    lengths = [0]
    for contract in load_contracts():
        leaf = column.sources.get(contract.topic)
        field: Any = contract.schema
        for name in leaf.path if leaf else ():
            field = field["properties"].get(name, {"properties": {}})
        lengths.append(field.get("maxLength", 0) if leaf else 0)
    return max(lengths)


def complete_template() -> list[str]:
    """Add what is missing to the template's file; returns the names."""
    missing = missing_fields()
    if missing:
        path = TEMPLATE_DIR / f"{Alias.EVENTS.value}.json"
        lines = "".join(f"        {json.dumps(name)}: {json.dumps(field)},\n" for name, field in missing.items())
        head, mark, tail = path.read_text(encoding="utf-8").partition(_BEFORE)
        path.write_text(f"{head}{lines}{mark}{tail}", encoding="utf-8")
    return list(missing)
