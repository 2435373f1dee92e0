"""Turns a row into an event as its mapping says."""

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from include.contracts.rules import Reason
from include.replay.mapping import FieldRule, Mapping
from include.replay.rows import Row

_ABSENT: Final = object()
_CENT: Final = Decimal("0.01")


class RowRefused(Exception):  # noqa: N818 - a refusal is an outcome that the run counts, not an error of the program
    """Raised when a row cannot become an event.

    Attributes:
        field: Path of the event's field, for example ``items[0].amount``.
    """

    def __init__(self, reason: str, field: str, expected: str, found: str) -> None:
        super().__init__(f"{reason} at {field or 'the row'}: expected {expected}, found {found}")
        self.reason = reason
        self.field = field
        self.expected = expected
        self.found = found


def event_of(row: Row, mapping: Mapping) -> dict[str, Any]:
    """The event of a row.

    Raises:
        RowRefused: If a column is missing or cannot be read as what the mapping says it is.
    """
    if row.cells is None:
        raise RowRefused(Reason.MALFORMED_JSON if mapping.source.format == "jsonl" else Reason.BAD_FORMAT, "",
                         f"a row of {mapping.source.format}", row.problem)  # fmt: skip
    event: dict[str, Any] = _value(mapping.fields, row.cells, row.line, "")
    return event


def _value(node: Any, cells: dict[str, Any], line: int, where: str) -> Any:
    if isinstance(node, FieldRule):
        return _leaf(node, cells, line, where)
    if isinstance(node, list):
        return [_value(child, cells, line, f"{where}[{number}]") for number, child in enumerate(node)]
    pairs = {name: _value(child, cells, line, f"{where}.{name}" if where else name) for name, child in node.items()}
    return {name: value for name, value in pairs.items() if value is not _ABSENT}


def _leaf(rule: FieldRule, cells: dict[str, Any], line: int, where: str) -> Any:
    if rule.template is not None:
        try:
            return rule.template.format(line=line, **cells)
        except (KeyError, ValueError, IndexError, TypeError) as error:
            raise RowRefused(Reason.MISSING_FIELD, where, f"columns for {rule.template}", repr(error)) from error
    if rule.column is None:
        return rule.constant
    found = cells.get(rule.column)
    if found is None or found == "":
        if rule.optional:
            return _ABSENT
        raise RowRefused(Reason.MISSING_FIELD, where, f"a value in column {rule.column}", "nothing")
    if rule.values is not None:
        if str(found) not in rule.values:
            raise RowRefused(Reason.UNKNOWN_VALUE, where, f"one of {', '.join(rule.values)}", str(found))
        found = rule.values[str(found)]
    try:
        return _READ[rule.type](found, rule)
    except (ValueError, InvalidOperation) as error:
        expected = f"{rule.type}{f' as {rule.format}' if rule.format else ''} in column {rule.column}"
        raise RowRefused(_REASON_OF[rule.type], where, expected, str(found)) from error


def _number_text(found: Any, rule: FieldRule) -> str:
    text = str(found).strip()
    return text if rule.decimal_mark == "." else text.replace(".", "").replace(",", ".")


def _decimal(found: Any, rule: FieldRule) -> str:
    amount = Decimal(_number_text(found, rule))
    if not amount.is_finite():
        raise ValueError("not a finite amount")
    exact = amount.quantize(_CENT)
    if exact != amount:
        raise ValueError("more than two decimals")
    return f"{abs(exact) if exact == 0 else exact:f}"


def _time(found: Any, rule: FieldRule) -> str:
    if isinstance(found, datetime):
        time = found
    elif isinstance(found, date):
        time = datetime(found.year, found.month, found.day)
    else:
        text = str(found).strip()
        time = datetime.strptime(text, rule.format) if rule.format else datetime.fromisoformat(text)
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"


_READ: Final = {
    "text": lambda found, _rule: str(found),
    "integer": lambda found, rule: int(_number_text(found, rule)),
    "number": lambda found, rule: float(_number_text(found, rule)),
    "decimal": _decimal,
    "time": _time,
}
_REASON_OF: Final = {
    "text": Reason.WRONG_TYPE,
    "integer": Reason.WRONG_TYPE,
    "number": Reason.WRONG_TYPE,
    "decimal": Reason.BAD_FORMAT,
    "time": Reason.BAD_TIMESTAMP,
}
