"""The quick way to a valid event: what nearly every event passes, and nothing passes that is not valid.

An event is plain when Spark's description of its shape (``schema_of_variant``) is that of its contract: no unknown
field, every type as usual. Its fields are then read in one pass and compared. What is not plain may be valid all the
same; the rules in ``faults.py`` decide about it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from include.contracts.registry import Contract, load_contracts
from include.contracts.rules import MAX_FUTURE_SECONDS, OLDEST_EVENT_TIME, Check, checks_of

_SHAPES: Final = {
    "string": "STRING",
    "boolean": "BOOLEAN",
    "integer": "BIGINT",
    "number": r"(?:BIGINT|DOUBLE|DECIMAL\\([0-9]+,[0-9]+\\))",
}
_JSON_TYPES: Final = {"string": "string", "boolean": "boolean", "integer": "bigint", "number": "double"}
_HOLDS: Final = {
    "enum": "{value} IN ({argument})",
    "const": "{value} = {argument}",
    "pattern": "{value} RLIKE {argument}",
    "format": "try_cast({value} AS timestamp) IS NOT NULL",
    "minLength": "length({value}) >= {argument}",
    "maxLength": "length({value}) <= {argument}",
    "minimum": "{value} >= {argument}",
    "maximum": "{value} <= {argument}",
    "minItems": "size({value}) >= {argument}",
    "maxItems": "size({value}) <= {argument}",
}


def quoted(text: object) -> str:
    """An SQL literal."""
    escaped = str(text).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def topic_cases(by_contract: Mapping[Contract, str]) -> str:
    """``CASE topic`` with one expression for each contract; versions of a topic are alternatives."""
    topics: dict[str, list[str]] = {}
    for contract, sql in by_contract.items():
        topics.setdefault(contract.topic, []).append(f"({sql})")
    cases = " ".join(f"WHEN {quoted(topic)} THEN {' OR '.join(sqls)}" for topic, sqls in topics.items())
    return f"CASE topic {cases} END"


def is_plain(shape: str) -> str:
    """SQL: whether a shape is that of a contract of the record's topic."""
    patterns = {contract: f"^{_shape(contract.schema)}\\\\z" for contract in load_contracts()}
    return topic_cases({contract: f"{shape} RLIKE '{pattern}'" for contract, pattern in patterns.items()})


def _shape(schema: Mapping[str, Any]) -> str:
    if schema["type"] == "array":
        return f"ARRAY<{_shape(schema['items'])}>"
    if schema["type"] != "object":
        return _SHAPES[schema["type"]]
    required = schema.get("required", [])
    fields = (
        f"(?:{name}: {_shape(field)}(?:, |(?=>))){'' if name in required else '?'}"
        for name, field in sorted(schema["properties"].items())
    )
    return f"OBJECT<{''.join(fields)}>"


def typed_schema() -> str:
    """The Spark schema that plain events are read with: the fields of all contracts, as JSON types them."""
    return _typed({"type": "object", "properties": all_properties()})


def all_properties() -> dict[str, Mapping[str, Any]]:
    """The top fields of all contracts together."""
    merged: dict[str, Any] = {}
    for contract in load_contracts():
        _merge(merged, contract.schema["properties"])
    return merged


def _merge(into: dict[str, Any], properties: Mapping[str, Any]) -> None:
    for name, field in properties.items():
        known = into.setdefault(name, {"type": field["type"]})
        if known["type"] != field["type"]:
            raise TypeError(f"{name} is {known['type']} in one contract and {field['type']} in another")
        if "properties" in field:
            _merge(known.setdefault("properties", {}), field["properties"])
        if "items" in field:
            items = known.setdefault("items", {"type": "object", "properties": {}})
            _merge(items["properties"], field["items"]["properties"])


def _typed(schema: Mapping[str, Any]) -> str:
    if schema["type"] == "array":
        return f"array<{_typed(schema['items'])}>"
    if schema["type"] != "object":
        return _JSON_TYPES[schema["type"]]
    return f"struct<{','.join(f'`{name}`:{_typed(field)}' for name, field in schema['properties'].items())}>"


def typed_from_variant(variant: str) -> str:
    """SQL of the same structure from the variant, for events that are valid without being plain."""
    fields = ", ".join(
        f"{quoted(name)}, try_variant_get({variant}, {quoted(f'$.{name}')}, {quoted(_typed(field))})"
        for name, field in all_properties().items()
    )
    return f"named_struct({fields})"


def is_right(typed: str) -> str:
    """SQL: whether the typed fields of a plain event keep its contract, the time limits and the key."""
    return topic_cases({contract: " AND ".join(_conditions(contract, typed)) for contract in load_contracts()})


def _conditions(contract: Contract, typed: str) -> Iterator[str]:
    time = f"{typed}.event_time"
    yield f"{typed}.schema_version = {contract.version}"
    for check in checks_of(contract):
        yield from _condition(check, typed)
    yield f"{time} >= {quoted(OLDEST_EVENT_TIME)}"
    latest = f"kafka_time + INTERVAL {MAX_FUTURE_SECONDS} SECONDS"
    yield f"coalesce(try_cast({time} AS timestamp) <= {latest}, true)"
    yield f"key = CAST({typed}.{contract.key_field} AS binary)"


def _condition(check: Check, parent: str) -> Iterator[str]:
    value = ".".join((parent, *check.path))
    if check.keyword == "required":
        types = check.argument
        when = f"{parent}.event_type NOT IN ({', '.join(map(quoted, types))}) OR " if types else ""
        yield f"({when}{value} IS NOT NULL)"
    elif check.keyword == "each":
        conditions = " AND ".join(sql for inner in check.argument for sql in _condition(inner, "x"))
        yield f"forall({value}, x -> {conditions})"
    elif check.keyword != "type":
        yield f"({value} IS NULL OR {_HOLDS[check.keyword].format(value=value, argument=_argument(check))})"


def _argument(check: Check) -> str:
    if check.keyword == "enum":
        return ", ".join(map(quoted, check.argument))
    if check.keyword == "pattern":
        return quoted(f"^(?:{check.argument})\\z")
    return quoted(check.argument) if isinstance(check.argument, str) else str(check.argument)
