"""The structural part of a silver table's suite, derived from the contract of its events."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from include.contracts.columns import column_name
from include.contracts.registry import contracts_by_topic
from include.names import SILVER_BY_TOPIC, Table
from include.quality.suite import SUITES_DIR, Rule, Severity, load_suite, suite_path

# Silver holds an event once; a sender that gives one id to events of two days is the sender's mistake.
_REUSED: Final = {"severity": Severity.WARNING, "about": "The same id names events of different days."}
# What silver adds to every event.
_ADDED: Final = ("topic", "partition", "offset", "kafka_time", "event_date", "bronze_version")


def structure(schema: Mapping[str, Any]) -> tuple[tuple[Rule, ...], dict[str, str]]:
    """Expectations that a contract implies, and the columns of truth values that some of them need.

    Decimal text and timestamps are typed in silver, so their patterns need no check; lists are checked by hand.
    """
    rules = [_rule("not_be_null", column) for column in _ADDED]
    rules.append(Rule(type="expect_compound_columns_to_be_unique", kwargs={"column_list": ["event_id", "event_date"]}))
    rules.append(_rule("be_unique", "event_id").model_copy(update=_REUSED))
    for column, field, required in _fields(schema):
        rules.extend(_of_field(column, field, required=required))
    columns = dict(_conditions(schema))
    rules.extend(_rule("be_in_set", column, value_set=[True]) for column in columns)
    return tuple(rules), columns


def _rule(what: str, column: str, **kwargs: Any) -> Rule:
    return Rule(type=f"expect_column_values_to_{what}", kwargs={"column": column, **kwargs})


def _fields(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    required = set(schema["required"])
    for name, field in schema["properties"].items():
        if field["type"] == "object":
            for inner, inner_field in field["properties"].items():
                yield column_name((name, inner)), inner_field, name in required and inner in field["required"]
        else:
            yield name, field, name in required


def _of_field(column: str, field: Mapping[str, Any], *, required: bool) -> Iterator[Rule]:
    if required:
        yield _rule("not_be_null", column)
    for rule in _of_values(column, field):
        yield rule.model_copy(update={"personal": True}) if field.get("x-personal") else rule


def _of_values(column: str, field: Mapping[str, Any]) -> Iterator[Rule]:
    if "enum" in field:
        yield _rule("be_in_set", column, value_set=field["enum"])
    if "const" in field:
        yield _rule("be_in_set", column, value_set=[field["const"]])
    if "minimum" in field or "maximum" in field:
        yield _rule("be_between", column, min_value=field.get("minimum"), max_value=field.get("maximum"))
    if "pattern" in field and "x-decimal" not in field and field.get("format") != "date-time":
        yield _rule("match_regex", column, regex=field["pattern"])


def _conditions(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for branch in schema.get("allOf", ()):
        kinds = ", ".join(f"'{kind}'" for kind in branch["if"]["properties"]["event_type"]["enum"])
        for name in branch["then"]["required"]:
            yield f"{name}_where_needed", f"event_type NOT IN ({kinds}) OR {name} IS NOT NULL"


def regenerated(table: Table) -> str:
    """A silver table's suite file with the structural part of today's contract.

    Raises:
        ConfigurationError: If the table has no suite.
    """
    topic = next(topic for topic, silver in SILVER_BY_TOPIC.items() if silver is table)
    rules, columns = structure(contracts_by_topic()[topic].schema)
    suite = load_suite(table).model_copy(update={"structure": rules, "structure_columns": columns})
    body = json.loads(suite.model_dump_json(exclude_defaults=True))
    return _compact(body) + "\n"


def _compact(body: Mapping[str, Any]) -> str:
    # One expectation a line: a changed contract shows as changed lines.
    parts = []
    for name, value in body.items():
        if isinstance(value, list):
            inner = ",\n".join(f"    {json.dumps(item, ensure_ascii=False)}" for item in value)
            parts.append(f'  "{name}": [\n{inner}\n  ]')
        elif isinstance(value, dict):
            inner = ",\n".join(f'    "{key}": {json.dumps(item, ensure_ascii=False)}' for key, item in value.items())
            parts.append(f'  "{name}": {{\n{inner}\n  }}')
        else:
            parts.append(f'  "{name}": {json.dumps(value, ensure_ascii=False)}')
    return "{\n" + ",\n".join(parts) + "\n}"


def regenerate_all() -> None:
    """Write the structural part of every silver table's suite anew."""
    for table in SILVER_BY_TOPIC.values():
        text = regenerated(table)
        suite_path(table, SUITES_DIR).write_text(text, encoding="utf-8")
