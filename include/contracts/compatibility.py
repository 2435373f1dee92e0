"""Whether a changed contract still takes what the old one took, and keeps the columns that readers know."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from include.contracts.columns import spark_type
from include.contracts.fields import LIMITS, Field, fields_of

_AT_LEAST: Final = {"minLength", "minimum", "minItems"}
_AT_MOST: Final = {"maxLength", "maximum", "maxItems"}


@dataclass(frozen=True)
class Change:
    """One difference between two contracts.

    Attributes:
        field: The field; empty for the contract as a whole.
        what: What is different.
        breaks: Why it breaks something; empty when it does not.
    """

    field: str
    what: str
    breaks: str = ""

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        return f"{where}{self.what}{f' - {self.breaks}' if self.breaks else ''}"


def is_compatible(changes: list[Change]) -> bool:
    """Whether none of the changes breaks anything."""
    return not any(change.breaks for change in changes)


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Every difference that matters, those that break something first.

    A change is compatible when every event that kept the old contract keeps the new one, apart from the number of its
    version, and every column of the tables stays, with its type.

    Args:
        old: The contract's JSON Schema as it was.
        new: The same as it is to be.
    """
    changes = [*_of_whole(old, new), *_of_fields(old, new)]
    return sorted(changes, key=lambda change: not change.breaks)


def _of_whole(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for keyword, why in (
        ("x-topic", "events of one family would lie in two topics"),
        ("x-key", "events whose order matters would go to other partitions"),
    ):
        if old.get(keyword) != new.get(keyword):
            yield Change("", f"{keyword} was {old.get(keyword)}, is {new.get(keyword)}", why)


def _of_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    before = {field.name: field for field in fields_of(old)}
    after = {field.name: field for field in fields_of(new)}
    types = set(old["properties"]["event_type"].get("enum", ()))
    for name, field in before.items():
        if name not in after:
            yield Change(name, "is gone", "its column would be gone for every reader")
        else:
            yield from _of_field(field, after[name], types)
    for name, field in after.items():
        if name not in before:
            parent = ".".join(field.path[:-1]).replace(".[]", "[]")
            # Within an object that is new as well, only that object's own need counts.
            is_within_new = bool(parent) and parent.removesuffix("[]") not in before
            yield from _of_new(field, types, is_within_new=is_within_new)


def _of_new(field: Field, types: set[str], *, is_within_new: bool) -> Iterator[Change]:
    yield from _needs(field, False, (), types) if not is_within_new else ()
    yield Change(field.name, "is new")


def _of_field(old: Field, new: Field, types: set[str]) -> Iterator[Change]:
    if old.kind != new.kind:
        yield Change(old.name, f"type was {old.kind}, is {new.kind}", "old events have the other type")
        return
    yield from _needs(new, old.required, old.needed_by, types)
    if old.kind not in ("object", "array") and spark_type(old.schema) != spark_type(new.schema):
        what = f"column was {spark_type(old.schema)}, is {spark_type(new.schema)}"
        yield Change(old.name, what, "tables that exist hold the other type")
    for keyword in LIMITS:
        if (old.name, keyword) != ("schema_version", "const"):
            yield from _of_limit(old.name, keyword, old.schema.get(keyword), new.schema.get(keyword))
    if old.personal and not new.personal:
        yield Change(old.name, "is no longer personal", "what was masked so far would be shown")
    elif new.personal and not old.personal:
        yield Change(new.name, "is personal now")


def _needs(new: Field, required: bool, by: tuple[str, ...], types: set[str]) -> Iterator[Change]:
    if new.required and not required:
        yield Change(new.name, "must be there now", "old events may lack it")
    more = set(new.needed_by) - set(by)
    if more and not required:
        old_types = sorted(more & types)
        why = "old events may lack it" if old_types else ""
        yield Change(new.name, f"is needed by {', '.join(sorted(more))} now", why)


def _of_limit(field: str, keyword: str, old: Any, new: Any) -> Iterator[Change]:
    if old == new:
        return
    if new is None:
        yield Change(field, f"{keyword} {old} is lifted")
        return
    if keyword == "enum" and old is not None:
        yield from _of_enum(field, list(old), list(new))
        return
    what = f"{keyword} was {old}, is {new}" if old is not None else f"{keyword} {new} is new"
    wider = old is not None and ((keyword in _AT_LEAST and new <= old) or (keyword in _AT_MOST and new >= old))
    yield Change(field, what, "" if wider else "old events may hold what it no longer takes")


def _of_enum(field: str, old: list[Any], new: list[Any]) -> Iterator[Change]:
    gone = ", ".join(str(value) for value in old if value not in new)
    added = ", ".join(str(value) for value in new if value not in old)
    if gone:
        yield Change(field, f"no longer takes {gone}", f"old events may hold {gone}")
    if added:
        yield Change(field, f"also takes {added}")
