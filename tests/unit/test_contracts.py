"""Contracts: the single source of validation, tables, suites, index fields and the reference page."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from include.cli.application import build
from include.config import PROJECT_ROOT
from include.contracts.columns import column_name, conformed_columns
from include.contracts.compatibility import compare, is_compatible
from include.contracts.derived import COMMAND, derived, require_sound
from include.contracts.example import example
from include.contracts.fields import Field, fields_of
from include.contracts.layout import text_of
from include.contracts.registry import CONTRACTS_DIR, Contract, load_contracts
from include.contracts.validation import check
from include.names import SILVER_BY_TOPIC, Alias
from include.quality.suite import load_suite
from include.serving.events_mapping import index_field, types_of
from include.serving.indices import template_of

ORDER = next(contract for contract in load_contracts() if contract.name == "purchase")
EVENT_TYPES = [
    pytest.param(contract, event_type, id=event_type)
    for contract in load_contracts()
    for event_type in contract.schema["properties"]["event_type"]["enum"]
]


def changed(**fields: dict[str, Any]) -> dict[str, Any]:
    """The contract of purchases with keywords of fields set, or removed by None."""
    schema: dict[str, Any] = json.loads(json.dumps(dict(ORDER.schema)))
    for name, keywords in fields.items():
        field = schema["properties"].setdefault(name, {"type": "string"})
        field.update(keywords)
        schema["properties"][name] = {key: value for key, value in field.items() if value is not None}
    return schema


def breaks(schema: dict[str, Any]) -> list[str]:
    return [f"{one.field}: {one.breaks}" for one in compare(ORDER.schema, schema) if one.breaks]


@pytest.mark.parametrize(
    ("fields", "field", "why"),
    [
        ({"currency": {"pattern": "^(EUR|USD)$"}}, "currency", "no longer takes"),
        ({"event_type": {"enum": ["order_placed"]}}, "event_type", "old events may hold order_returned"),
        ({"latitude": {"minimum": 0}}, "latitude", "no longer takes"),
        ({"latitude": {"type": "string", "minimum": None, "maximum": None}}, "latitude", "other type"),
        ({"session_id": {"maxLength": 10}}, "session_id", "no longer takes"),
        ({"total": {"x-decimal": [20, 4]}}, "total", "tables that exist hold the other type"),
        ({"user_id": {"x-personal": None}}, "user_id", "what was masked so far would be shown"),
    ],
)
def test_a_change_that_breaks_old_events_or_readers_is_named_with_the_reason(
    fields: dict[str, dict[str, Any]], field: str, why: str
) -> None:
    (found,) = breaks(changed(**fields))
    assert found.startswith(f"{field}: ")
    assert why in found


def test_a_field_that_is_gone_or_must_now_be_there_breaks() -> None:
    schema = changed()
    del schema["properties"]["shipping"]
    schema["required"].append("tax")
    assert breaks(schema) == ["tax: old events may lack it", "shipping: its column would be gone for every reader"]


def test_wider_limits_new_types_and_new_optional_fields_are_compatible() -> None:
    schema = changed(event_type={"enum": ["order_placed", "order_returned", "order_cancelled"]}, gift={"maxLength": 5})
    schema["properties"]["items"]["maxItems"] = 500
    schema["allOf"] = [
        {"if": {"properties": {"event_type": {"enum": ["order_cancelled"]}}}, "then": {"required": ["gift"]}}
    ]
    changes = compare(ORDER.schema, schema)
    assert is_compatible(changes)
    assert {str(change) for change in changes} == {
        "event_type: also takes order_cancelled",
        "items: maxItems was 200, is 500",
        "gift: is needed by order_cancelled now",
        "gift: is new",
    }


def test_an_item_that_must_have_more_breaks_and_another_version_alone_does_not() -> None:
    schema = changed(schema_version={"const": 2})
    assert compare(ORDER.schema, schema) == []
    schema["properties"]["items"]["items"]["required"].append("unit_price")
    assert breaks(schema) == ["items[].unit_price: old events may lack it"]


def test_the_command_says_why_and_ends_with_the_answer(tmp_path: Path) -> None:
    new = tmp_path / "new.json"
    new.write_text(json.dumps(changed(currency={"pattern": "^EUR$"})), encoding="utf-8")
    said = CliRunner().invoke(build(), ["contracts", "check", "purchase.v1", str(new)])
    assert (said.exit_code, "breaks  currency" in said.stdout) == (1, True)
    assert CliRunner().invoke(build(), ["contracts", "check", "purchase.v1", "purchase.v1"]).exit_code == 0
    said = CliRunner().invoke(build(), ["contracts", "check", "purchase.v1", "nothing.v1"])
    assert (said.exit_code, "customer_feedback.v1" in said.stderr) == (2, True)


@pytest.mark.parametrize("path", sorted(CONTRACTS_DIR.glob("*.json")), ids=lambda path: path.stem)
def test_a_contract_file_is_laid_out_by_rule(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == text_of(json.loads(text))


@pytest.mark.parametrize("whole", [False, True], ids=["needed fields", "all fields"])
@pytest.mark.parametrize(("contract", "event_type"), EVENT_TYPES)
def test_the_example_of_an_event_type_is_valid_and_nothing_of_its_needs_may_go(
    contract: Contract, event_type: str, whole: bool
) -> None:
    event = example(contract, event_type, whole=whole)
    assert check(json.dumps(event).encode(), contract.topic) is None
    for name in event if not whole else ():
        rest = {field: value for field, value in event.items() if field != name}
        assert check(json.dumps(rest).encode(), contract.topic) is not None, name


def test_what_comes_from_the_contracts_is_fresh() -> None:
    require_sound()
    assert [one.path for one in derived() if one.is_stale] == [], f"a contract changed: run `{COMMAND}` and commit"


def rows_of_the_page(contract: Contract) -> dict[str, list[str]]:
    """The rows of a contract's table in docs/events.md by field."""
    text = (PROJECT_ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {contract.name}.v{contract.version}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    return {row[0].strip("`"): row for row in cells}


def holds_values(contract: Contract) -> list[Field]:
    """Fields at the top or in objects, which become columns."""
    return [field for field in fields_of(contract.schema) if field.kind != "object" and "[]" not in field.path]


@pytest.mark.parametrize("contract", load_contracts(), ids=lambda contract: f"{contract.name}.v{contract.version}")
def test_validator_tables_suites_index_and_page_say_the_same_of_every_field(contract: Contract) -> None:
    """The five readings of a contract: jsonschema, Spark, Great Expectations, Elasticsearch, docs/events.md."""
    Draft202012Validator.check_schema(dict(contract.schema))
    validator = Draft202012Validator(dict(contract.schema))
    event_type = contract.schema["properties"]["event_type"]["enum"][0]
    whole = example(contract, event_type, whole=True)
    assert validator.is_valid(whole)
    columns = {column.name: column for column in conformed_columns()}
    suite = load_suite(SILVER_BY_TOPIC[contract.topic])
    mapping = template_of(Alias.EVENTS)["template"]["mappings"]["properties"]
    page = rows_of_the_page(contract)
    assert list(page) == [field.name for field in fields_of(contract.schema)]
    for field in holds_values(contract):
        column = columns[column_name(field.path)]
        rules = [rule for rule in suite.structure if rule.kwargs.get("column") == column.name]
        shown = page[field.name]
        # Spark: the column comes from this field, by the type of the page.
        assert column.sources[contract.topic].path == field.path
        assert column.spark_type.startswith(shown[2].split("` ")[1])
        # Elasticsearch: a type that holds every value of the column.
        assert mapping[index_field(column)].get("type", "object") in types_of(column.spark_type), field.name
        # jsonschema, Great Expectations and the page agree on who may be without it, and on what it may hold.
        without = without_field(whole, field.path)
        needed_always = is_always_there(contract, field)
        assert any(rule.type.endswith("not_be_null") for rule in rules) is needed_always
        if len(field.path) == 1:
            needed = field.required or event_type in field.needed_by
            assert validator.is_valid(without) is not needed
            assert (shown[4] == "yes") is field.required
            assert bool(field.needed_by) is (f"{column.name}_where_needed" in suite.structure_columns)
        for value in ("enum", "pattern"):
            said = [rule for rule in rules if rule.type.endswith({"enum": "in_set", "pattern": "regex"}[value])]
            typed = "x-decimal" in field.schema or "format" in field.schema
            assert len(said) == (
                1 if value in field.schema and not typed else int("const" in field.schema and value == "enum")
            )
            assert all(rule.personal is field.personal for rule in said)
        assert (shown[5] == "yes") is field.personal


def without_field(event: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    event = copy.deepcopy(event)
    holder = event
    for name in path[:-1]:
        holder = holder[name]
    del holder[path[-1]]
    return event


def is_always_there(contract: Contract, field: Field) -> bool:
    parents = {one.path: one for one in fields_of(contract.schema)}
    return all(parents[field.path[:depth]].required for depth in range(1, len(field.path) + 1))
