"""What parsing takes out of an event's JSON: typed pieces for the checks, and the conformed event made of them."""

from collections.abc import Mapping
from typing import Any

from include.contracts.registry import load_contracts
from include.names import RAW_TOPICS
from spark_jobs.schemas import Column, Leaf, conformed_columns, spark_type
from spark_jobs.transforms.predicates import column, json_path, quoted

Path = tuple[str, ...]


def extracted_columns() -> dict[str, str]:
    """SQL of the columns that the predicates use, for the fields of all contracts together."""
    columns: dict[str, str] = {}
    for contract in load_contracts():
        columns |= _object_columns(contract.schema, ())
    return columns


def _object_columns(schema: Mapping[str, Any], path: Path) -> dict[str, str]:
    columns: dict[str, str] = {}
    for name, field in schema["properties"].items():
        where = (*path, name)
        if field["type"] == "array":
            columns |= _array_columns(field, where)
        else:
            columns |= _value_columns(field, where, "_json", json_path(where))
        if field["type"] == "object":
            columns |= _object_columns(field, where)
    return columns


def _value_columns(schema: Mapping[str, Any], path: Path, source: str, where: str) -> dict[str, str]:
    def get(kind: str) -> str:
        return f"try_variant_get({source}, {quoted(where)}, '{kind}')"

    columns = {column("t", path): f"schema_of_variant({get('variant')})"}
    if schema["type"] == "string":
        columns[column("s", path)] = get("string")
    elif schema["type"] in ("integer", "number"):
        columns[column("n", path)] = get("double")
    return columns


def _array_columns(schema: Mapping[str, Any], path: Path) -> dict[str, str]:
    where = quoted(json_path(path))
    array = f"try_variant_get(_json, {where}, 'array<variant>')"
    item = _value_columns({"type": "object"}, (), "x", "$")
    for name, field in schema["items"]["properties"].items():
        item |= _value_columns(field, (name,), "x", json_path((name,), "$"))
    fields = ", ".join(f"{quoted(name)}, {sql}" for name, sql in item.items())
    return {
        column("z", path): f"array_size({array})",
        # The type of an array names those of all its items; that it is an array is enough here.
        column("t", path): f"CASE WHEN {array} IS NOT NULL THEN 'ARRAY' "
        f"ELSE schema_of_variant(try_variant_get(_json, {where}, 'variant')) END",
        column("l", path): f"CASE WHEN array_size({array}) <= {schema['maxItems']} "
        f"THEN transform({array}, x -> named_struct({fields})) END",
    }


def conformed_sql() -> str:
    """SQL of the conformed event as a struct, from the extracted columns of a valid event."""
    fields = ", ".join(f"{quoted(col.name)}, {_conformed_column(col)}" for col in conformed_columns())
    return f"named_struct({fields})"


def _conformed_column(col: Column) -> str:
    paths: dict[Path, tuple[Leaf, list[str]]] = {}
    for topic, leaf in col.sources.items():
        paths.setdefault(leaf.path, (leaf, []))[1].append(quoted(topic))
    branches = [(topics, _typed(leaf)) for leaf, topics in paths.values()]
    if len(branches) == 1 and len(branches[0][0]) == len(RAW_TOPICS):
        return branches[0][1]
    cases = " ".join(f"WHEN topic IN ({', '.join(topics)}) THEN {sql}" for topics, sql in branches)
    return f"CASE {cases} END"


def _typed(leaf: Leaf) -> str:
    if leaf.json_type != "array":
        return _cast(leaf.path, leaf.json_type, leaf.spark_type)
    fields = ", ".join(
        f"{quoted(name)}, {_cast((name,), field['type'], spark_type(field), 'x.')}" for name, field in _items(leaf.path)
    )
    return f"transform({column('l', leaf.path)}, x -> named_struct({fields}))"


def _items(path: Path) -> list[tuple[str, Mapping[str, Any]]]:
    found: dict[str, Mapping[str, Any]] = {}
    for contract in load_contracts():
        schema: Mapping[str, Any] = contract.schema
        for name in path:
            schema = schema.get("properties", {}).get(name, {})
        found |= schema.get("items", {}).get("properties", {})
    return list(found.items())


def _cast(path: Path, json_type: str, target: str, prefix: str = "") -> str:
    source = prefix + column("s" if json_type == "string" else "n", path)
    return source if target in ("string", "double") else f"try_cast({source} AS {target})"
