"""From bytes to events: the only way, in both layers. Accepts what ``include.contracts.validation`` accepts."""

import secrets
from collections.abc import Iterator
from functools import reduce
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from include.contracts.registry import Contract, load_contracts
from include.contracts.rules import (
    MASK,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_FUTURE_SECONDS,
    OLDEST_EVENT_TIME,
    SHOWN_CHARACTERS,
    Reason,
    is_personal,
    stage_of,
)
from include.names import Topic
from spark_jobs.schemas import RECORD_COLUMNS, conformed_columns
from spark_jobs.transforms.extraction import conformed_sql, extracted_columns
from spark_jobs.transforms.predicates import (
    EVENT,
    STRIDE,
    Fault,
    FaultBook,
    contract_cases,
    each_expressions,
    quoted,
    text_at,
)

_SIZE: Final = "concat(octet_length(value), ' bytes')"
_NOTHING: Final = quoted("nothing")
_WHOLE: Final = quoted("")
_BRACKETS: Final = (
    r"""regexp_replace(regexp_replace(regexp_replace(_text, r'(?s)\\.', ''), '"[^"]*"', ''), r'[^\[\]{}]+', '')"""
)
_DEEPEST: Final = (
    f"aggregate(split({_BRACKETS}, ''), named_struct('now', 0, 'most', 0), (depth, bracket) -> named_struct("
    "'now', depth.now + CASE WHEN bracket IN ('[', '{') THEN 1 WHEN bracket = '' THEN 0 ELSE -1 END, "
    "'most', greatest(depth.most, depth.now + CASE WHEN bracket IN ('[', '{') THEN 1 ELSE 0 END))).most"
)
_MANY_BRACKETS: Final = (
    f"2 * length(_text) - length(replace(_text, '[', '')) - length(replace(_text, '{{', '')) > {MAX_DEPTH}"
)


def parse_events(records: DataFrame) -> DataFrame:
    """Add ``event`` (null when refused) and ``rejection`` (null when valid) to records.

    Args:
        records: Rows with at least ``topic, partition, offset, kafka_time, key, value``.
    """
    book = FaultBook()
    each = {name: sql for contract in load_contracts() for name, sql in each_expressions(contract, book).items()}
    fault = _first_fault(book)
    # Each step is a projection of its own, so that what several expressions need is computed once.
    steps = [_text_and_json(), extracted_columns(), each, {"_fault": fault}]
    frame = reduce(lambda frame, step: frame.withColumns({k: F.expr(v) for k, v in step.items()}), steps, records)
    return frame.select(
        *records.columns,
        F.expr(f"CASE WHEN _fault IS NULL THEN {conformed_sql()} END").alias("event"),
        F.expr(f"CASE WHEN _fault IS NOT NULL THEN {_rejection(book)} END").alias("rejection"),
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


def _text_and_json() -> dict[str, str]:
    # The variant parser ignores what follows the first value. Within an array that ends in a token that no sender can
    # know, the token is found behind the event only if the event is the whole text.
    token = secrets.token_hex(8)
    text = f"CASE WHEN octet_length(value) <= {MAX_BYTES} THEN try_validate_utf8(CAST(value AS string)) END"
    wrapped = f"try_parse_json(concat('[', {text}, ',\"{token}\"]'))"
    return {"_text": text, "_json": wrapped, "_token": quoted(token)}


def _first_fault(book: FaultBook) -> str:
    contracts = load_contracts()
    topics = sorted({contract.topic for contract in contracts})
    branches = [*_bytes_cases(book, topics)]
    for topic in topics:
        versions = [contract for contract in contracts if contract.topic == topic]
        branches.append(f"WHEN topic = {quoted(topic)} THEN {_topic_case(book, versions)}")
    return f"CASE {' '.join(branches)} END"


def _bytes_cases(book: FaultBook, topics: list[Topic]) -> Iterator[str]:
    known = ", ".join(map(quoted, topics))
    listed: list[tuple[str, Reason, str, str]] = [
        (f"topic NOT IN ({known})", Reason.UNKNOWN_TOPIC, "a topic with a contract", "topic"),
        ("value IS NULL", Reason.MISSING_VALUE, "a JSON object", _NOTHING),
        (f"octet_length(value) > {MAX_BYTES}", Reason.TOO_LARGE, f"at most {MAX_BYTES} bytes", _SIZE),
        ("_text IS NULL", Reason.INVALID_UTF8, "UTF-8", _SIZE),
        (f"{_MANY_BRACKETS} AND {_DEEPEST} > {MAX_DEPTH}", Reason.TOO_DEEP, f"at most {MAX_DEPTH} levels", _SIZE),
        (
            f"{text_at('_json', quoted('$[1]'))} IS DISTINCT FROM _token",
            Reason.MALFORMED_JSON,
            "strict JSON, no key twice",
            _SIZE,
        ),
        (r"left(ltrim(' \t\r\n', _text), 1) <> '{'", Reason.WRONG_TYPE, "type object", _SIZE),
    ]
    for condition, reason, expected, found in listed:
        yield f"WHEN {condition} THEN {book.enter(Fault(reason, _WHOLE, expected, found))}"


def _topic_case(book: FaultBook, versions: list[Contract]) -> str:
    field, value = quoted("schema_version"), text_at("_json", quoted(f"{EVENT}.schema_version"))
    expected = f"one of {', '.join(str(contract.version) for contract in versions)}"
    missing = book.enter(Fault(Reason.MISSING_FIELD, field, expected, _NOTHING))
    wrong = book.enter(Fault(Reason.WRONG_TYPE, field, "type integer", value))
    unknown = book.enter(Fault(Reason.UNKNOWN_VERSION, field, expected, value))
    integer = (
        "(_t_schema_version = 'BIGINT' OR _t_schema_version = 'DOUBLE' OR _t_schema_version LIKE 'DECIMAL%') "
        "AND (_n_schema_version % 1 = 0 OR isnan(_n_schema_version % 1))"
    )
    branches = [f"WHEN _t_schema_version IS NULL THEN {missing}", f"WHEN NOT ({integer}) THEN {wrong}"]
    for contract in versions:
        cases = " ".join([*contract_cases(contract, book), *_time_and_key_cases(contract, book)])
        branches.append(f"WHEN _n_schema_version = {contract.version}D THEN CASE {cases} END")
    return f"CASE {' '.join(branches)} ELSE {unknown} END"


def _time_and_key_cases(contract: Contract, book: FaultBook) -> Iterator[str]:
    name, key = f"{contract.name}.v{contract.version}", contract.key_field
    personal = is_personal(contract.schema["properties"][key])
    key_found = quoted(MASK) if personal else "CAST(key AS string)"
    future = f"at most {MAX_FUTURE_SECONDS} s after Kafka took it"
    latest = f"kafka_time + INTERVAL {MAX_FUTURE_SECONDS} SECONDS"
    time, text = quoted("event_time"), "_s_event_time"
    listed = [
        (
            f"{text} < {quoted(OLDEST_EVENT_TIME)}",
            Fault(Reason.ANCIENT_TIMESTAMP, time, f"not before {OLDEST_EVENT_TIME}", text, name),
        ),
        (
            f"try_cast({text} AS timestamp) > {latest}",
            Fault(Reason.FUTURE_TIMESTAMP, time, future, text, name),
        ),
        ("key IS NULL", Fault(Reason.MISSING_KEY, quoted(key), f"the key {key}", _NOTHING, name)),
        (
            f"key <> CAST(_s_{key} AS binary)",
            Fault(Reason.KEY_MISMATCH, quoted(key), f"the key {key}", key_found, name),
        ),
    ]
    for condition, fault in listed:
        yield f"WHEN {condition} THEN {book.enter(fault)}"


def _rejection(book: FaultBook) -> str:
    number = f"_fault % {STRIDE}"

    def listed(values: list[str]) -> str:
        return f"element_at(array({', '.join(map(quoted, values))}), {number})"

    def chosen(values: list[str]) -> str:
        numbers: dict[str, list[str]] = {}
        for position, value in enumerate(values, start=1):
            numbers.setdefault(value, []).append(str(position))
        cases = " ".join(f"WHEN {number} IN ({', '.join(where)}) THEN {sql}" for sql, where in numbers.items())
        return f"CASE {cases} END"

    faults = book.faults
    found = f"coalesce({chosen([fault.found for fault in faults])}, 'null')"
    return (
        f"named_struct('stage', {listed([stage_of(fault.reason) for fault in faults])}, "
        f"'reason', {listed([fault.reason for fault in faults])}, "
        f"'field', {chosen([fault.field for fault in faults])}, "
        f"'expected', {listed([fault.expected for fault in faults])}, "
        f"'found', left({found}, {SHOWN_CHARACTERS}), "
        f"'contract', {listed([fault.contract for fault in faults])})"
    )
