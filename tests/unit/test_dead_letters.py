"""Dead letters: rules that repair, and what may be shown."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.contracts.rules import Reason
from include.contracts.validation import Rejection
from include.dead_letters.casts import cast
from include.dead_letters.letter import Selection, place_of, selection_from
from include.dead_letters.masking import shown
from include.dead_letters.patches import patched, read_rules
from include.dead_letters.paths import parse, places
from include.dead_letters.repair import Identity, Repaired, repair
from include.errors import ConfigurationError
from include.names import Topic
from tests.records import CART, ORDER
from tests.unit.letters import NOW, letter


def after(document: dict[str, Any], rule: str, topic: Topic = Topic.PURCHASES) -> dict[str, Any]:
    return patched(document, letter(document, topic), read_rules(f"rules: [{rule}]", "test"))[0]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.a", [("a",)]),
        ("$.a.b[*].c", [("a", "b", 0, "c"), ("a", "b", 1, "c")]),
        ("$.a.b[1].c", [("a", "b", 1, "c")]),
        ("$.a['x y']", [("a", "x y")]),
        ("$.a.b[7]", []),
    ],
)
def test_a_path_finds_every_place_that_it_names(path: str, found: list[tuple[str | int, ...]]) -> None:
    assert list(places({"a": {"b": [{"c": 1}, {"c": 2}], "x y": 3}}, parse(path))) == found


@pytest.mark.parametrize("path", ["", "$", "a", "$a", "$..a", "$.a[", "$.a[-1]", "$.a[?(@.b)]", "$.1a"])
def test_what_is_no_path_is_refused_with_an_example(path: str) -> None:
    with pytest.raises(ValueError, match=r"write it as \$\.field"):
        parse(path)


@pytest.mark.parametrize(
    ("value", "kind", "result"),
    [
        ("12", "integer", 12),
        (12.0, "integer", 12),
        ("12.5", "integer", "12.5"),
        ("0.5", "number", 0.5),
        (12.5, "decimal", "12.50"),
        ("12", "decimal", "12.00"),
        ("12.345", "decimal", "12.345"),
        ("YES", "boolean", True),
        (17, "text", "17"),
        (1772359200, "time", "2026-03-01T10:00:00.000Z"),
        (1772359200123, "time", "2026-03-01T10:00:00.123Z"),
        ("2026-03-01T12:00:00+02:00", "time", "2026-03-01T10:00:00.000Z"),
        (True, "integer", True),
        ("nan", "number", "nan"),
    ],
)
def test_a_cast_reads_what_it_can_and_leaves_the_rest(value: Any, kind: str, result: Any) -> None:
    found = cast(value, kind)
    assert (found, type(found)) == (result, type(result))


def test_each_action_changes_what_it_says_and_nothing_else() -> None:
    assert after(ORDER, "{set: $.payment.method, value: cash}")["payment"]["method"] == "cash"
    assert after({}, "{set: $.device.device_type, value: till}") == {"device": {"device_type": "till"}}
    assert after({"userId": "ann"}, "{rename: $.userId, to: $.user_id}") == {"user_id": "ann"}
    both = {"userId": "ann", "user_id": "bob"}
    assert after(both, "{rename: $.userId, to: $.user_id}") == both
    lines = {"items": [{"qty": "2"}, {}, {"qty": "3"}]}
    renamed = after(lines, '{rename: "$.items[*].qty", to: "$.items[*].quantity"}')
    assert renamed == {"items": [{"quantity": "2"}, {}, {"quantity": "3"}]}
    assert after(renamed, '{cast: "$.items[*].quantity", to: integer}')["items"] == [
        {"quantity": 2},
        {},
        {"quantity": 3},
    ]
    assert after(renamed, '{default: "$.items[*].quantity", value: 1}')["items"][1] == {"quantity": 1}
    assert after({"a": 1, "b": [1, 2]}, '{drop: "$.b[*]"}') == {"a": 1, "b": []}


def test_a_rule_is_for_the_letters_that_it_names() -> None:
    uk = {**CART, "country": "UK"}
    only = "{set: $.country, value: GB, when: {topic: user-events, values: {$.country: UK}}}"
    assert after(uk, only, Topic.USER_EVENTS)["country"] == "GB"
    assert after(CART, only, Topic.USER_EVENTS) == CART
    wrong = {**CART, "quantity": "2"}
    assert after(wrong, "{cast: $.quantity, to: integer, when: {reason: wrong_type}}", Topic.USER_EVENTS) == {
        **CART,
        "quantity": 2,
    }
    assert after(wrong, "{cast: $.quantity, to: integer, when: {field: country}}", Topic.USER_EVENTS) == wrong


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("rules: {", "is not YAML"),
        ("patch: []", "expected one key rules with a list of rules"),
        ("rules: [{}]", "rule 1: give exactly one of set, rename, cast, default, drop; found none"),
        ("rules: [{set: $.currency, drop: $.total, value: 1}]", "rule 1: give exactly one of .*; found set, drop"),
        ("rules: [{drop: $.a}, {set: $.currency}]", "rule 2: value goes with set and default, and these need it"),
        ("rules: [{set: currency, value: EUR}]", r"rule 1: set: 'currency' is no path: write it as \$\.field"),
        ("rules: [{cast: $.total, to: money}]", "rule 1: to: found 'money', choose one of text, integer"),
        ("rules: [{set: $.curency, value: EUR}]", r"rule 1: set: no contract has \$\.curency; first fields"),
        (
            "rules: [{set: $.method, value: cash}]",
            r"rule 1: set: no contract has \$\.method; is it \$\.payment\.method",
        ),
        (
            'rules: [{rename: "$.items[*].qty", to: $.quantity}]',
            r"rule 1: to: \$\.quantity has not the same \[\*\] as \$\.items\[\*\]\.qty",
        ),
        ("rules: [{drop: $.a, when: {reason: bad}}]", "rule 1: when.reason: Input should be .*; found 'bad'"),
        ("rules: [{drop: $.a, wen: {}}]", "rule 1: wen: Extra inputs are not permitted"),
        ("rules: [{drop: $.a, when: {topic: dead-letter}}]", "rule 1: when: topic must be one of user-events"),
    ],
)
def test_rules_that_cannot_be_used_are_refused_by_rule_and_field_with_the_mend(text: str, named: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"rules\.yaml: {named}"):
        read_rules(text, "rules.yaml")


def test_every_wrong_rule_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_rules("rules: [{drop: a}, {cast: $.total, to: x}]", "r")
    assert [line.split(":")[1].strip() for line in str(raised.value).splitlines()] == ["rule 1", "rule 2"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            {**CART, "userId": "ann"},
            {
                "user_id": "***",
                "userId": "***",
                "country": "DE",
                "device": {"device_id": "***", "device_type": "mobile"},
            },
        ),
        ({**CART, "device": "ann's phone"}, {"device": "***"}),
        ({**CART, "ann@example.org": 1}, {"***": "***"}),
    ],
)
def test_what_is_personal_or_unknown_is_never_shown(value: dict[str, Any], text: dict[str, Any]) -> None:
    found = shown(json.dumps(value).encode(), Topic.USER_EVENTS)
    assert text.items() <= json.loads(found).items()
    assert "ann" not in found


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "no value"),
        (b'{"user_id": "ann"', "17 bytes, no JSON: Expecting ',' delimiter at character 17"),
        (b'{"a": "\xff"}', "10 bytes, not UTF-8 at byte 7"),
        (b'["ann"]', "7 bytes, a JSON list instead of an object"),
        (b'{"a": 1, "a": 2}', "16 bytes, no strict JSON: a key occurs twice"),
    ],
)
def test_bytes_that_are_no_object_are_described_not_shown(value: bytes | None, said: str) -> None:
    assert shown(value, Topic.USER_EVENTS) == said


def test_a_letter_is_repaired_checked_and_gets_the_key_of_its_contract() -> None:
    broken = letter({**ORDER, "total": 40})
    rules = read_rules("rules: [{cast: $.total, to: decimal}]", "r")
    result = repair(broken, rules, NOW)
    assert isinstance(result, Repaired)
    assert (result.identity, result.key) == (Identity("purchases", "event-0001", "2026-03-01"), b"ann@example.org")
    assert json.loads(result.value) == {**ORDER, "total": "40.00"}
    still = repair(broken, (), NOW)
    assert isinstance(still, Rejection)
    assert (still.reason, still.field, still.found) == (Reason.WRONG_TYPE, "total", "40")


def test_a_letter_that_is_right_by_now_keeps_its_bytes() -> None:
    text = json.dumps(ORDER, indent=1).replace("2026-03-01T10", "2026-03-01T13").encode()
    early = letter(text)
    assert isinstance(repair(early, (), NOW), Rejection)
    later = repair(early, (), NOW + timedelta(hours=2))
    assert isinstance(later, Repaired)
    assert later.value == text


@pytest.mark.parametrize("value", [None, b"{", b"[1]", b'{"a": 1, "a": 1}', b" " * (1024 * 1024 + 1)])
def test_bytes_that_rules_cannot_reach_stay_refused(value: bytes | None) -> None:
    assert isinstance(repair(letter(value), read_rules("rules: [{drop: $.a}]", "r"), NOW), Rejection)


def test_a_selection_is_read_from_a_form_and_wrong_names_are_refused() -> None:
    form = {"topics": ["purchases"], "reasons": ["wrong_type"], "since": "2026-03-01", "places": ["purchases-0-17"]}
    found = selection_from(form)
    assert found == Selection(
        (Topic.PURCHASES,), (Reason.WRONG_TYPE,), datetime(2026, 3, 1, tzinfo=UTC), None, (place_of("purchases-0-17"),)
    )
    assert selection_from(found.as_json()) == found
    for wrong, named in (
        ({"topics": ["dead-letter"]}, "no topic 'dead-letter': choose one of user-events"),
        ({"reasons": ["bad"]}, "no reason 'bad': choose one of unknown_topic"),
        ({"since": "yesterday"}, "since: 'yesterday' is not a time"),
        ({"places": ["purchases"]}, "'purchases' is no place of a letter"),
        ({"since": "2026-03-02", "until": "2026-03-01"}, "until .* does not lie after since"),
    ):
        with pytest.raises(ConfigurationError, match=named):
            selection_from(wrong)
