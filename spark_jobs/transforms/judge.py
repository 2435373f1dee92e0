"""The judge: the JVM function that says of a record's bytes which event they are, or why they are none.

Its rules are those of ``include.contracts.rules``, handed over as JSON; the code that keeps them is in
``spark_jobs/jvm``. Why it is not an expression of Spark: docs/decisions/007-the-judge-is-a-jvm-function.md
"""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from pyspark.sql import SparkSession

from include.contracts.registry import Contract, load_contracts
from include.contracts.rules import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_FUTURE_SECONDS,
    OLDEST_EVENT_TIME,
    Check,
    Reason,
    checks_of,
    field_name,
    is_personal,
    stage_of,
)
from include.errors import PrerequisiteError
from spark_jobs.schemas import Column, Leaf, conformed_columns, spark_type

FUNCTION: Final = "judge"
_REFUSAL: Final = "stage:string,reason:string,field:string,expected:string,found:string,contract:string"


def register(spark: SparkSession, columns: tuple[str, ...]) -> str:
    """Make the judge known to a session.

    Args:
        spark: The session.
        columns: Which columns of an event to read; whatever they are, all of the event is judged.

    Returns:
        SQL that judges a row's record: a struct of ``event`` and ``rejection``, one of them null.

    Raises:
        PrerequisiteError: If the judge's jar is not among Spark's jars.
    """
    jvm = spark._jvm
    assert jvm is not None
    try:
        function = jvm.realtimedataplatform.Judge.function(rules_json(columns), result_ddl(columns))
    except TypeError as error:
        raise PrerequisiteError("the judge's jar is missing; run: python main.py artifacts fetch") from error
    spark._jsparkSession.udf().register(FUNCTION, function)
    return f"{FUNCTION}(topic, key, value, unix_micros(kafka_time))"


def result_ddl(columns: tuple[str, ...]) -> str:
    """The judge's result as Spark writes types."""
    event = ",".join(f"{column.name}:{column.spark_type}" for column in _chosen(columns))
    return f"struct<event:struct<{event}>,rejection:struct<{_REFUSAL}>>"


def _chosen(columns: tuple[str, ...]) -> list[Column]:
    return [column for column in conformed_columns() if column.name in columns]


@lru_cache
def rules_json(columns: tuple[str, ...]) -> str:
    """All contracts as the judge reads them, with these columns of their events."""
    topics: dict[str, list[Contract]] = {}
    for contract in load_contracts():
        topics.setdefault(contract.topic, []).append(contract)
    rules = {
        "max_bytes": MAX_BYTES,
        "max_depth": MAX_DEPTH,
        "stages": {reason: stage_of(reason) for reason in Reason},
        "versions": {
            topic: f"one of {', '.join(str(contract.version) for contract in contracts)}"
            for topic, contracts in topics.items()
        },
        "topics": {
            topic: [_contract(contract, columns) for contract in contracts] for topic, contracts in topics.items()
        },
    }
    return json.dumps(rules)


def _contract(contract: Contract, columns: tuple[str, ...]) -> dict[str, Any]:
    return {
        "name": f"{contract.name}.v{contract.version}",
        "version": contract.version,
        "rules": [_rule(check) for check in checks_of(contract)],
        "time_and_key": list(_time_and_key(contract)),
        "oldest": OLDEST_EVENT_TIME,
        "most_future_seconds": MAX_FUTURE_SECONDS,
        "columns": [_column(column.sources.get(contract.topic), contract) for column in _chosen(columns)],
    }


def _rule(check: Check) -> dict[str, Any]:
    argument = [_rule(inner) for inner in check.argument] if check.keyword == "each" else check.argument
    return _described(check.path, check.reason, check.expected, check.personal) | {
        "keyword": check.keyword,
        "argument": argument,
    }


def _described(path: tuple[str, ...], reason: Reason, expected: str, personal: bool) -> dict[str, Any]:
    return {
        "path": path,
        "field": field_name(path),
        "stage": stage_of(reason),
        "reason": reason,
        "expected": expected,
        "personal": personal,
    }


def _time_and_key(contract: Contract) -> Iterator[dict[str, Any]]:
    latest = f"at most {MAX_FUTURE_SECONDS} s after Kafka took it"
    key = contract.key_field
    for field, reason, expected in (
        ("event_time", Reason.ANCIENT_TIMESTAMP, f"not before {OLDEST_EVENT_TIME}"),
        ("event_time", Reason.FUTURE_TIMESTAMP, latest),
        (key, Reason.MISSING_KEY, f"the key {key}"),
        (key, Reason.KEY_MISMATCH, f"the key {key}"),
    ):
        personal = is_personal(contract.schema["properties"][field])
        yield _described((field,), reason, expected, personal) | {"keyword": "type", "argument": "string"}


def _column(leaf: Leaf | None, contract: Contract) -> dict[str, Any] | None:
    if leaf is None:
        return None
    schema: Mapping[str, Any] = contract.schema
    for name in leaf.path:
        # A version that has no such field leaves the column null.
        if name not in schema.get("properties", {}):
            return None
        schema = schema["properties"][name]
    return _typed(leaf.path, schema)


def _typed(path: tuple[str, ...], schema: Mapping[str, Any]) -> dict[str, Any]:
    if schema["type"] == "array":
        fields = [_typed((name,), field) for name, field in schema["items"]["properties"].items()]
        return {"path": path, "type": "array", "fields": fields}
    return {"path": path, "type": spark_type(schema).partition("(")[0]}
