"""From bytes to events: the only way, in both layers. Accepts what ``include.contracts.validation`` accepts."""

import secrets
from collections.abc import Iterator
from functools import lru_cache, reduce
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from include.contracts.registry import load_contracts
from include.contracts.rules import MASK, MAX_BYTES, MAX_DEPTH, SHOWN_CHARACTERS, Reason, stage_of
from include.names import Topic
from spark_jobs.schemas import RECORD_COLUMNS, conformed_columns, conformed_sql
from spark_jobs.transforms.faults import first_broken, first_broken_item, rules_of_record
from spark_jobs.transforms.plain import is_plain, is_right, quoted, typed_from_variant, typed_schema

_SIZE: Final = "concat(octet_length(value), ' bytes')"
_BRACKETS: Final = (
    r"""regexp_replace(regexp_replace(regexp_replace(_text, '(?s)\\\\.', ''), '"[^"]*"', ''), '[^\\[\\]{}]+', '')"""
)
_STEP: Final = "CASE WHEN bracket IN ('[', '{') THEN 1 WHEN bracket = '' THEN 0 ELSE -1 END"
_DEPTH: Final = (
    f"aggregate(split({_BRACKETS}, ''), named_struct('now', 0, 'most', 0), (depth, bracket) -> named_struct("
    f"'now', depth.now + {_STEP}, 'most', greatest(depth.most, depth.now + {_STEP}))).most"
)
_MANY_BRACKETS: Final = (
    f"2 * length(_text) - length(replace(_text, '[', '')) - length(replace(_text, '{{', '')) > {MAX_DEPTH}"
)
_VERSION: Final = "try_variant_get(_json, '$.schema_version', 'double')"
_VERSION_TYPE: Final = "schema_of_variant(try_variant_get(_json, '$.schema_version', 'variant'))"
_VERSION_TEXT: Final = "try_variant_get(_json, '$.schema_version', 'string')"


def parse_events(records: DataFrame) -> DataFrame:
    """Add ``event`` (null when refused) and ``rejection`` (null when valid) to records.

    Args:
        records: Rows with at least ``topic, partition, offset, kafka_time, key, value``.
    """
    # Each step is a projection of its own, so that what several expressions need is computed once.
    frame = reduce(
        lambda frame, step: frame.withColumns({name: F.expr(sql) for name, sql in step.items()}), _steps(), records
    )
    return frame.select(
        *records.columns,
        F.expr(f"CASE WHEN _refusal IS NULL THEN {conformed_sql('_typed')} END").alias("event"),
        F.col("_refusal").alias("rejection"),
    )


def valid_events(parsed: DataFrame) -> DataFrame:
    """The conformed events: one flat row for each valid record."""
    names = [column.name for column in conformed_columns()]
    return parsed.where("event IS NOT NULL").select(*RECORD_COLUMNS, *(F.col(f"event.{name}") for name in names))


def rejected_events(parsed: DataFrame) -> DataFrame:
    """The refused records as rows of ``bronze.rejected``."""
    return parsed.where("rejection IS NOT NULL").select(
        *RECORD_COLUMNS,
        "key",
        "value",
        "rejection.*",
        F.current_timestamp().alias("rejected_at"),
        F.to_date("kafka_time").alias("arrival_date"),
    )


@lru_cache(maxsize=1)
def _token() -> str:
    # One for the process: another text would be another expression, which Spark would compile anew.
    return secrets.token_hex(8)


def _steps() -> Iterator[dict[str, str]]:
    # The variant parser ignores what follows the first value. Within an array that ends in a token that no sender can
    # know, the token is found behind the event only if the event is the whole text.
    token = _token()
    read = f"CASE WHEN octet_length(value) <= {MAX_BYTES} THEN try_validate_utf8(CAST(value AS string)) END"
    yield {"_text": read}
    yield {"_array": f"try_parse_json(concat('[', _text, ',\"{token}\"]'))"}
    whole = f"try_variant_get(_array, '$[1]', 'string') = {quoted(token)}"
    yield {"_json": f"CASE WHEN {whole} THEN try_variant_get(_array, '$[0]', 'variant') END"}
    # A null in an array does not show in the description of its shape, so an event with the word is not plain.
    plain = f"NOT contains(_text, 'null') AND {is_plain('schema_of_variant(_json)')}"
    yield {"_plain": f"coalesce({plain}, false)"}
    plain_typed = f"from_json(_text, {quoted(typed_schema())})"
    yield {"_typed": f"CASE WHEN _plain THEN {plain_typed} ELSE {typed_from_variant('_json')} END"}
    yield {"_right": f"coalesce(_plain AND {is_right('_typed')}, false)"}
    yield {
        "_bytes": f"CASE WHEN NOT _right THEN {_bytes_refusal()} END",
        "_rules": f"CASE WHEN NOT _right THEN {rules_of_record(_VERSION)} END",
        "_event_type": "CASE WHEN NOT _right THEN try_variant_get(_json, '$.event_type', 'string') END",
    }
    yield {"_rule": f"CASE WHEN NOT _right AND _bytes IS NULL THEN {first_broken('_rules', '_json')} END"}
    yield {"_item": first_broken_item("_rule", "_json")}
    yield {"_refusal": f"CASE WHEN NOT _right THEN coalesce(_bytes, {_rule_refusal()}) END"}


def _bytes_refusal() -> str:
    topics = _versions_by_topic()
    known = ", ".join(map(quoted, topics))
    versions = (
        f"element_at(map({', '.join(f'{quoted(name)}, {quoted(text)}' for name, text in topics.items())}), topic)"
    )
    number = f"({_VERSION_TYPE} = 'BIGINT' OR {_VERSION_TYPE} = 'DOUBLE' OR {_VERSION_TYPE} LIKE 'DECIMAL%')"
    whole = f"({_VERSION} % 1 = 0 OR isnan({_VERSION} % 1))"
    event, version = "''", "'schema_version'"
    cases = [
        (f"topic NOT IN ({known})", Reason.UNKNOWN_TOPIC, event, "'a topic with a contract'", "topic"),
        ("value IS NULL", Reason.MISSING_VALUE, event, "'a JSON object'", "'nothing'"),
        (f"octet_length(value) > {MAX_BYTES}", Reason.TOO_LARGE, event, f"'at most {MAX_BYTES} bytes'", _SIZE),
        ("_text IS NULL", Reason.INVALID_UTF8, event, "'UTF-8'", _SIZE),
        (
            f"{_MANY_BRACKETS} AND {_DEPTH} > {MAX_DEPTH}",
            Reason.TOO_DEEP,
            event,
            f"'at most {MAX_DEPTH} levels'",
            _SIZE,
        ),
        ("_json IS NULL", Reason.MALFORMED_JSON, event, "'strict JSON, no key twice'", _SIZE),
        (
            "schema_of_variant(_json) NOT LIKE 'OBJECT%'",
            Reason.WRONG_TYPE,
            event,
            "'type object'",
            _SIZE,
        ),
        (f"{_VERSION_TYPE} IS NULL", Reason.MISSING_FIELD, version, versions, "'nothing'"),
        (f"NOT ({number} AND {whole})", Reason.WRONG_TYPE, version, "'type integer'", _VERSION_TEXT),
        (f"NOT {_known_version()}", Reason.UNKNOWN_VERSION, version, versions, _VERSION_TEXT),
    ]
    branches = " ".join(
        f"WHEN {condition} THEN {_refusal(quoted(stage_of(reason)), quoted(reason), field, expected, found, event)}"
        for condition, reason, field, expected, found in cases
    )
    return f"CASE {branches} END"


def _rule_refusal() -> str:
    item = "_item.rule"
    where = "concat(_rule.field, '[', _item.number, ']')"
    field = f"CASE WHEN {item} IS NULL THEN _rule.field WHEN {item}.field = '' THEN {where} " + (
        f"ELSE concat({where}, '.', {item}.field) END"
    )
    value = f"CASE WHEN {item} IS NULL THEN try_variant_get(_json, _rule.path, 'string') " + (
        f"ELSE try_variant_get(_item.item, {item}.path, 'string') END"
    )
    found = f"CASE WHEN {_of_rule('keyword')} IN ('required', 'no key') THEN 'nothing' " + (
        f"WHEN {_of_rule('personal')} THEN {quoted(MASK)} "
        f"WHEN _rule.keyword = 'other key' THEN make_valid_utf8(CAST(key AS string)) ELSE coalesce({value}, 'null') END"
    )
    parts = (_of_rule("stage"), _of_rule("reason"), field, _of_rule("expected"), found, "_rule.contract")
    return f"CASE WHEN _rule IS NOT NULL THEN {_refusal(*parts)} END"


def _of_rule(name: str) -> str:
    return f"coalesce(_item.rule.{name}, _rule.{name})"


def _refusal(stage: str, reason: str, field: str, expected: str, found: str, contract: str) -> str:
    return (
        f"named_struct('stage', {stage}, 'reason', {reason}, 'field', {field}, 'expected', {expected}, "
        f"'found', left({found}, {SHOWN_CHARACTERS}), 'contract', {contract})"
    )


def _versions_by_topic() -> dict[Topic, str]:
    versions: dict[Topic, list[str]] = {}
    for contract in load_contracts():
        versions.setdefault(contract.topic, []).append(str(contract.version))
    return {topic: f"one of {', '.join(numbers)}" for topic, numbers in versions.items()}


def _known_version() -> str:
    known = " OR ".join(
        f"(topic = {quoted(contract.topic)} AND {_VERSION} = {contract.version}D)" for contract in load_contracts()
    )
    return f"({known})"
