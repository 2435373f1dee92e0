"""The exact way: which rule of its contract an event breaks first. The rules are data, so the plan stays small."""

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from include.contracts.registry import Contract, load_contracts
from include.contracts.rules import (
    MAX_FUTURE_SECONDS,
    OLDEST_EVENT_TIME,
    Check,
    Reason,
    checks_of,
    field_name,
    is_personal,
    stage_of,
)
from spark_jobs.transforms.plain import quoted

_RULE: Final = (
    "keyword:string,path:string,text:string,texts:array<string>,limit:double,"
    "reason:string,stage:string,field:string,expected:string,personal:boolean,contract:string"
)
_RULES: Final = f"array<struct<{_RULE},items:array<struct<{_RULE}>>>>"

# A rule together with the value that it is about, see _probe.
_NUMBER: Final = "(f.type = 'BIGINT' OR f.type = 'DOUBLE' OR f.type LIKE 'DECIMAL%')"
_TYPED: Final = (
    "CASE f.rule.text WHEN 'string' THEN f.type = 'STRING' WHEN 'boolean' THEN f.type = 'BOOLEAN' "
    "WHEN 'object' THEN f.type LIKE 'OBJECT%' WHEN 'array' THEN f.type LIKE 'ARRAY%' "
    f"WHEN 'number' THEN {_NUMBER} "
    # What is too large for a double is whole, like everything of that size; its range refuses it.
    f"WHEN 'integer' THEN {_NUMBER} AND (f.number % 1 = 0 OR isnan(f.number % 1)) END"
)
_BREACHES: Final = {
    "required": "f.type IS NULL AND (f.rule.texts IS NULL OR array_contains(f.rule.texts, _event_type))",
    "type": f"NOT ({_TYPED})",
    "enum": "NOT array_contains(f.rule.texts, f.text)",
    "const": "f.text <> f.rule.text",
    "pattern": "NOT f.text RLIKE f.rule.text",
    "format": "f.text IS NOT NULL AND try_cast(f.text AS timestamp) IS NULL",
    "minLength": "length(f.text) < f.rule.limit",
    "maxLength": "length(f.text) > f.rule.limit",
    "minimum": "f.number < f.rule.limit",
    "maximum": "f.number > f.rule.limit",
    "minItems": "f.size < f.rule.limit",
    "maxItems": "f.size > f.rule.limit",
    "ancient": "f.text < f.rule.text",
    "future": "try_cast(f.text AS timestamp) > kafka_time + f.rule.limit * INTERVAL 1 SECOND",
    "no key": "key IS NULL",
    "other key": "key <> CAST(f.text AS binary)",
}


def contract_rules(contract: Contract) -> str:
    """SQL of a contract's rules, in the order in which faults are reported."""
    rules = [*(_rule(check, contract) for check in checks_of(contract)), *_time_and_key_rules(contract)]
    return f"from_json({quoted(json.dumps(rules))}, {quoted(_RULES)})"


def rules_of_record(version: str) -> str:
    """SQL of the rules for a record's topic and version; null where there is no contract."""
    cases = " ".join(
        f"WHEN topic = {quoted(contract.topic)} AND {version} = {contract.version}D THEN {contract_rules(contract)}"
        for contract in load_contracts()
    )
    return f"CASE {cases} END"


def first_broken(rules: str, variant: str) -> str:
    """SQL of the first rule that a variant breaks, null when it keeps all."""
    inner = f"exists({_probes('r.items', 'x', 'q')}, f -> {_breach()})"
    items = f"try_variant_get({variant}, r.path, 'array<variant>')"
    bad_item = f"r.keyword = 'each' AND array_size({items}) <= r.limit AND exists({items}, x -> {inner})"
    probes = _probes(rules, variant, "r", bad_item)
    return f"get(filter({probes}, f -> {_breach({'each': 'f.bad_item'})}), 0).rule"


def first_broken_item(rule: str, variant: str) -> str:
    """SQL of the first bad item of an array that an ``each`` rule is about: ``number``, ``item``, broken ``rule``."""
    items = f"try_variant_get({variant}, {rule}.path, 'array<variant>')"
    broken = f"get(filter({_probes(f'{rule}.items', 'x', 'q')}, f -> {_breach()}), 0).rule"
    numbered = f"transform({items}, (x, i) -> named_struct('number', i, 'item', x, 'rule', {broken}))"
    return f"CASE WHEN {rule}.keyword = 'each' THEN get(filter({numbered}, y -> y.rule IS NOT NULL), 0) END"


def _probes(rules: str, variant: str, rule: str, bad_item: str = "false") -> str:
    def get(kind: str) -> str:
        return f"try_variant_get({variant}, {rule}.path, '{kind}')"

    return (
        f"transform({rules}, {rule} -> named_struct('rule', {rule}, 'type', schema_of_variant({get('variant')}), "
        f"'text', {get('string')}, 'number', {get('double')}, 'size', array_size({get('array<variant>')}), "
        f"'bad_item', {bad_item}))"
    )


def _breach(more: Mapping[str, str] = MappingProxyType({})) -> str:
    branches = " ".join(f"WHEN {quoted(keyword)} THEN {sql}" for keyword, sql in {**_BREACHES, **more}.items())
    return f"CASE f.rule.keyword {branches} END"


def _rule(check: Check, contract: Contract) -> dict[str, Any]:
    argument = check.argument
    rule = _described(contract, check.reason, check.path, check.expected, check.personal) | {"keyword": check.keyword}
    if check.keyword == "each":
        limit = _array_limit(contract, check.path)
        return rule | {"limit": limit, "items": [_rule(inner, contract) for inner in argument]}
    if check.keyword in ("enum", "required"):
        return rule | {"texts": argument}
    if check.keyword == "pattern":
        return rule | {"text": f"^(?:{argument})\\z"}
    return rule | ({"text": argument} if isinstance(argument, str) else {"limit": argument})


def _array_limit(contract: Contract, path: tuple[str, ...]) -> int:
    limits = (check.argument for check in checks_of(contract) if check.path == path and check.keyword == "maxItems")
    return int(next(limits))


def _described(
    contract: Contract, reason: Reason, path: tuple[str, ...], expected: str, personal: bool
) -> dict[str, Any]:
    return {
        "path": ".".join(("$", *path)),
        "reason": reason,
        "stage": stage_of(reason),
        "field": field_name(path),
        "expected": expected,
        "personal": personal,
        "contract": f"{contract.name}.v{contract.version}",
    }


def _time_and_key_rules(contract: Contract) -> Iterator[dict[str, Any]]:
    def rule(keyword: str, reason: Reason, field: str, expected: str, **more: Any) -> dict[str, Any]:
        personal = is_personal(contract.schema["properties"][field])
        return _described(contract, reason, (field,), expected, personal) | {"keyword": keyword} | more

    key = contract.key_field
    oldest, latest = f"not before {OLDEST_EVENT_TIME}", f"at most {MAX_FUTURE_SECONDS} s after Kafka took it"
    yield rule("ancient", Reason.ANCIENT_TIMESTAMP, "event_time", oldest, text=OLDEST_EVENT_TIME)
    yield rule("future", Reason.FUTURE_TIMESTAMP, "event_time", latest, limit=MAX_FUTURE_SECONDS)
    yield rule("no key", Reason.MISSING_KEY, key, f"the key {key}")
    yield rule("other key", Reason.KEY_MISMATCH, key, f"the key {key}")
