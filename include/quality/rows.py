"""Which rows break a promise: the critical expectations that speak of single rows, as SQL."""

from collections.abc import Iterator
from typing import Any

from include.quality.frame import columns_of
from include.quality.suite import Rule, Severity, Suite


def faults(suite: Suite) -> dict[str, str]:
    """For each critical expectation on single rows: its name, and SQL that is true of the rows that break it.

    Uniqueness and totals are broken by no single row, and references by what is missing elsewhere: these are left out.
    """
    found: dict[str, str] = {}
    for rule in suite.expectations:
        named = [column for column in columns_of(rule) if column in suite.references]
        if rule.severity is Severity.CRITICAL and not named and "mostly" not in rule.kwargs:
            sql = _broken(rule)
            if sql:
                found[f"{rule.type.removeprefix('expect_column_values_to_')}({', '.join(columns_of(rule))})"] = sql
    return found


def _broken(rule: Rule) -> str | None:
    kind = rule.type.removeprefix("expect_column_values_to_")
    column = f"`{rule.kwargs.get('column')}`"
    if kind == "not_be_null":
        return f"{column} IS NULL"
    if kind == "be_in_set":
        values = ", ".join(_literal(value) for value in rule.kwargs["value_set"])
        return f"NOT ({column} IN ({values}))"
    if kind == "match_regex":
        return f"NOT ({column} RLIKE {_literal(rule.kwargs['regex'])})"
    if kind == "be_between":
        return " OR ".join(_outside(column, rule.kwargs))
    return None


def _outside(column: str, kwargs: dict[str, Any]) -> Iterator[str]:
    if kwargs.get("min_value") is not None:
        yield f"{column} < {kwargs['min_value']}"
    if kwargs.get("max_value") is not None:
        yield f"{column} > {kwargs['max_value']}"


def _literal(value: object) -> str:
    if isinstance(value, bool | int | float):
        return str(value).lower()
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"
