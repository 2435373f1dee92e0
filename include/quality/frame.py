"""What a suite is run on: the columns it names, derived ones added, of no more rows than a machine can bear."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from include.names import Table
from include.quality.suite import Rule, Suite

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Lookup = Callable[[Table], "DataFrame | None"]

_SEED = 7


def prepared(rows: "DataFrame", suite: Suite, lookup: Lookup) -> "DataFrame":
    """Rows with exactly the columns that the suite's expectations name.

    Args:
        rows: Rows of the table.
        suite: Its suite; its SQL columns and references become columns.
        lookup: Gives another table, None where it does not exist yet.
    """
    derived = {**suite.structure_columns, **suite.columns}
    for name, sql in derived.items():
        rows = rows.selectExpr("*", f"({sql}) AS `{name}`")
    for name, reference in suite.references.items():
        rows = _with_reference(rows, name, suite, lookup(reference.table))
    named = {column for rule in suite.expectations for column in columns_of(rule)}
    return rows.select(*sorted(named))


def _with_reference(rows: "DataFrame", name: str, suite: Suite, others: "DataFrame | None") -> "DataFrame":
    from pyspark.sql import functions as F

    reference = suite.references[name]
    if others is None:
        return rows.withColumn(name, F.lit(None).cast("boolean"))
    keys = others.where(reference.where).select(F.col(reference.column).alias("_key")).distinct()
    joined = rows.join(keys, rows[reference.key] == keys["_key"], "left")
    found = F.when(F.col(reference.key).isNotNull(), F.col("_key").isNotNull())
    return joined.withColumn(name, found).drop("_key")


def columns_of(rule: Rule) -> list[str]:
    """The columns that an expectation names."""
    single = [rule.kwargs[name] for name in ("column", "column_A", "column_B") if name in rule.kwargs]
    return [*single, *rule.kwargs.get("column_list", [])]


def bounded(rows: "DataFrame", max_rows: int) -> tuple["DataFrame", int, bool]:
    """At most about so many rows, the number of all, and whether they are a sample.

    Counting costs little: Delta knows the number of rows of each file.
    """
    count = rows.count()
    if count <= max_rows:
        return rows, count, False
    return rows.sample(fraction=max_rows / count, seed=_SEED), count, True
