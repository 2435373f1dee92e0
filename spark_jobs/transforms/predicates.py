"""The contracts' checks as Spark SQL: numbered faults, and one expression that gives the number of the first.

Expressions use the columns that ``parse.py`` extracts for each field, named by kind and path: ``_t_`` the JSON type,
``_s_`` the text, ``_n_`` the number, ``_z_`` the length of an array, ``_l_`` its items, as structs with the same names.
"""

from dataclasses import dataclass
from typing import Final

from include.contracts.registry import Contract
from include.contracts.rules import MASK, Check, Reason, checks_of, field_name

# The number of a fault in item i of an array is that of the check plus i times this.
STRIDE: Final = 100_000
EVENT: Final = "$[0]"

_INTEGER: Final = "(({t} = 'BIGINT' OR {t} = 'DOUBLE' OR {t} LIKE 'DECIMAL%') AND ({n} % 1 = 0 OR isnan({n} % 1)))"
_TYPES: Final = {
    "string": "{t} = 'STRING'",
    "boolean": "{t} = 'BOOLEAN'",
    "integer": _INTEGER,
    "number": "({t} = 'BIGINT' OR {t} = 'DOUBLE' OR {t} LIKE 'DECIMAL%')",
    "object": "{t} LIKE 'OBJECT%'",
    "array": "{t} LIKE 'ARRAY%'",
}

_HOLDS: Final = {
    "enum": "{s} IN ({argument})",
    "const": "{n} = {argument}D",
    "pattern": "{s} RLIKE {argument}",
    "format": "try_cast({s} AS timestamp) IS NOT NULL",
    "minLength": "length({s}) >= {argument}",
    "maxLength": "length({s}) <= {argument}",
    "minimum": "{n} >= {argument}D",
    "maximum": "{n} <= {argument}D",
    "minItems": "{z} >= {argument}",
    "maxItems": "{z} <= {argument}",
}


@dataclass(frozen=True)
class Fault:
    """What a number stands for.

    Attributes:
        reason: Why the event is refused.
        field: SQL of the field's path.
        expected: What was asked for.
        found: SQL of what was there.
        contract: Name of the contract, empty when none could be chosen.
    """

    reason: Reason
    field: str
    expected: str
    found: str
    contract: str = ""


class FaultBook:
    """Numbers faults, from 1, in the order in which they are entered."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def enter(self, fault: Fault) -> int:
        """Keep a fault and give its number."""
        self.faults.append(fault)
        return len(self.faults)


def quoted(text: object) -> str:
    """An SQL literal."""
    escaped = str(text).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def column(kind: str, path: tuple[str, ...]) -> str:
    """Name of an extracted column."""
    return f"_{kind}_{'__'.join(path)}"


def each_column(contract: Contract, path: tuple[str, ...]) -> str:
    """Name of the column with the number of an array's first fault."""
    return f"_each_{contract.name}_{contract.version}{column('l', path)}"


def json_path(path: tuple[str, ...], root: str = EVENT) -> str:
    """A path as ``variant_get`` takes it."""
    return ".".join((root, *path))


def holds(check: Check, prefix: str = "") -> str:
    """SQL that is true where the field is there and the check holds."""
    names = {kind: prefix + column(kind, check.path) for kind in "tsnz"}
    match check.keyword:
        case "type":
            return _TYPES[check.argument].format(**names)
        case "enum":
            argument = ", ".join(map(quoted, check.argument))
        case "pattern":
            argument = quoted(f"^(?:{check.argument})\\z")
        case "const" if isinstance(check.argument, str):
            return f"{names['s']} = {quoted(check.argument)}"
        case _:
            argument = str(check.argument)
    return _HOLDS[check.keyword].format(**names, argument=argument)


def breach(check: Check, prefix: str = "") -> str:
    """SQL that is true where the check is broken."""
    there = f"{prefix}{column('t', check.path)}"
    if check.keyword == "required":
        types = check.argument
        when = f" AND _s_event_type IN ({', '.join(map(quoted, types))})" if types else ""
        return f"{there} IS NULL{when}"
    return f"{there} IS NOT NULL AND NOT {holds(check, prefix)}"


def text_at(source: str, path: str) -> str:
    """SQL of a value in a variant as text."""
    return f"try_variant_get({source}, {path}, 'string')"


def contract_cases(contract: Contract, book: FaultBook) -> list[str]:
    """The ``WHEN ... THEN number`` branches of a contract's checks, in order; their faults are entered in the book."""
    cases = []
    for check in checks_of(contract):
        if check.keyword == "each":
            name = each_column(contract, check.path)
            cases.append(f"WHEN {name} IS NOT NULL THEN {name}")
            continue
        found = quoted(MASK) if check.personal else text_at("_json", quoted(json_path(check.path)))
        number = book.enter(_fault(contract, check, quoted(field_name(check.path)), found))
        cases.append(f"WHEN {breach(check)} THEN {number}")
    return cases


def each_expressions(contract: Contract, book: FaultBook) -> dict[str, str]:
    """For each array of a contract: a column's name and the SQL of its first fault, null without one."""
    expressions = {}
    for check in checks_of(contract):
        if check.keyword == "each":
            branches = " ".join(_item_cases(contract, check, book))
            items = column("l", check.path)
            first = f"array_min(transform({items}, (x, i) -> CASE {branches} END))"
            expressions[each_column(contract, check.path)] = f"CASE WHEN {items} IS NOT NULL THEN {first} END"
    return expressions


def _item_cases(contract: Contract, array: Check, book: FaultBook) -> list[str]:
    items = f"try_variant_get(_json, {quoted(json_path(array.path))}, 'array<variant>')"
    index = f"CAST(floor(_fault / {STRIDE}) AS int)"
    cases = []
    for check in array.argument:
        suffix = f"].{field_name(check.path)}" if check.path else "]"
        field = f"concat({quoted(field_name(array.path) + '[')}, {index}, {quoted(suffix)})"
        value = text_at(f"get({items}, {index})", quoted(json_path(check.path, "$")))
        number = book.enter(_fault(contract, check, field, quoted(MASK) if check.personal else value))
        cases.append(f"WHEN {breach(check, 'x.')} THEN {number} + i * {STRIDE}")
    return cases


def _fault(contract: Contract, check: Check, field: str, found: str) -> Fault:
    return Fault(check.reason, field, check.expected, found, f"{contract.name}.v{contract.version}")
