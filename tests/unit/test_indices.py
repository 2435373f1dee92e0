import json

import pytest

from include.contracts.registry import CONTRACTS_DIR
from include.names import RAW_TOPICS, Alias
from include.serving.aliases import number_of, numbered
from include.serving.indices import template_of

# What the local distribution of Elasticsearch lacks, or what the platform does without on purpose.
ALLOWED_TYPES = {"keyword", "text", "date", "long", "integer", "double", "object", "binary"}


def fields(mapping: dict) -> list[tuple[str, dict]]:
    found = []
    for name, field in mapping.get("properties", {}).items():
        found.append((name, field))
        found += [(f"{name}.{inner}", definition) for inner, definition in fields(field)]
    return found


@pytest.mark.parametrize("alias", Alias)
def test_a_template_is_strict_and_uses_only_types_of_both_distributions(alias: Alias) -> None:
    mapping = template_of(alias)["template"]["mappings"]
    assert mapping["dynamic"] == "strict"
    assert {field.get("type", "object") for _, field in fields(mapping)} <= ALLOWED_TYPES


@pytest.mark.parametrize("alias", Alias)
def test_a_template_says_when_documents_become_visible(alias: Alias) -> None:
    settings = template_of(alias)["template"]["settings"]["index"]
    assert settings["refresh_interval"] in {"500ms", "1s"}


@pytest.mark.parametrize("alias", Alias)
def test_no_index_of_one_alias_gets_the_template_of_another(alias: Alias) -> None:
    assert template_of(alias)["index_patterns"] == [f"{alias.value}-*"]
    others = [other for other in Alias if other is not alias]
    assert not [other for other in others if other.value.startswith(f"{alias.value}-")]


def test_money_is_whole_cents_everywhere() -> None:
    money = [field for alias in Alias for field in fields(template_of(alias)["template"]["mappings"])]
    minor = {name: definition["type"] for name, definition in money if name.endswith("_minor")}
    assert set(minor.values()) == {"long"}
    assert {"total_minor", "items.amount_minor", "revenue_minor"} <= minor.keys()


def test_the_events_index_has_a_field_for_all_that_contracts_name() -> None:
    properties = template_of(Alias.EVENTS)["template"]["mappings"]["properties"]
    for path in CONTRACTS_DIR.glob("*.json"):
        contract = json.loads(path.read_text(encoding="utf-8"))
        assert contract["x-topic"] in {topic.value for topic in RAW_TOPICS}
        for name, field in contract["properties"].items():
            if name in {"device", "payment"}:  # flat in the conformed event
                continue
            assert (f"{name}_minor" if "x-decimal" in field else name) in properties


def test_index_names_sort_as_their_numbers() -> None:
    assert sorted([numbered("metrics-speed", 10), numbered("metrics-speed", 9)])[0] == "metrics-speed-000009"
    assert number_of("metrics-speed-000010") == 10
    assert number_of("metrics") is None
