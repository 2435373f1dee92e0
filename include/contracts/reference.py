"""The reference page of all events, ``docs/events.md``, written from the contracts."""

import json
from collections.abc import Iterator
from typing import Any, Final

from include.config import PROJECT_ROOT
from include.contracts.columns import column_name, spark_type
from include.contracts.example import example
from include.contracts.fields import Field, fields_of
from include.contracts.registry import Contract, load_contracts
from include.contracts.rules import MAX_BYTES, MAX_FUTURE_SECONDS, OLDEST_EVENT_TIME
from include.names import SILVER_BY_TOPIC

PAGE: Final = PROJECT_ROOT / "docs" / "events.md"
_COLUMNS: Final = ("field", "type", "column", "holds", "needed", "personal", "meaning")
_WORDS: Final = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
}
_INTRODUCTION: Final = f"""# Events

Generated from [include/contracts/](../include/contracts/) by `python main.py contracts generate`; do not edit.

An event is one JSON object of at most {MAX_BYTES} bytes, sent to the topic of its family under the key named below. Its
time is neither before {OLDEST_EVENT_TIME} nor more than {MAX_FUTURE_SECONDS} s after Kafka took it. Fields that a
contract does not name are allowed, and kept in bronze. What breaks its contract goes to the dead letters, with the
reason; personal values are masked wherever they are shown.
"""


def page() -> str:
    """The whole page, from today's contracts."""
    contracts = load_contracts()
    rows = [
        f"| [{contract.schema['title']}](#{_anchor(contract)}) | `{_name(contract)}` | `{contract.topic}` | "
        f"{', '.join(f'`{kind}`' for kind in _event_types(contract))} |"
        for contract in contracts
    ]
    overview = "\n".join(("| family | contract | topic | event types |", "|---|---|---|---|", *rows))
    return "\n".join((_INTRODUCTION, overview, *(_section(contract) for contract in contracts)))


def _name(contract: Contract) -> str:
    return f"{contract.name}.v{contract.version}"


def _anchor(contract: Contract) -> str:
    return _name(contract).replace(".", "")


def _event_types(contract: Contract) -> list[str]:
    types: list[str] = contract.schema["properties"]["event_type"]["enum"]
    return types


def _section(contract: Contract) -> str:
    fields = fields_of(contract.schema)
    lines = [
        f"\n## {_name(contract)}",
        "",
        f"{contract.schema['title']}. {contract.schema['description']}",
        "",
        f"Topic `{contract.topic}`, key `{contract.key_field}`, table `{SILVER_BY_TOPIC[contract.topic]}`.",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        "|" + "---|" * len(_COLUMNS),
        *(f"| {' | '.join(_row(field))} |" for field in fields),
        "",
        "```json",
        json.dumps(example(contract, _event_types(contract)[0]), indent=2),
        "```",
    ]
    return "\n".join(lines)


def _row(field: Field) -> Iterator[str]:
    is_inner = field.kind == "object" or "[]" in field.path
    yield f"`{field.name}`"
    yield field.kind
    yield "" if is_inner else f"`{column_name(field.path)}` {_typed(field)}"
    yield ", ".join(_limit(keyword, value) for keyword, value in field.limits.items())
    yield "yes" if field.required else f"by {', '.join(field.needed_by)}" if field.needed_by else ""
    yield ("in part" if field.kind == "object" else "yes") if field.personal else ""
    yield str(field.schema.get("description", ""))


def _typed(field: Field) -> str:
    return "array" if field.kind == "array" else spark_type(field.schema)


def _limit(keyword: str, value: Any) -> str:
    if keyword in _WORDS:
        return _WORDS[keyword].format(value)
    if keyword == "pattern":
        # A bar would end the cell, also within code.
        return f"`{value}`".replace("|", "\\|")
    if keyword == "enum":
        return ", ".join(f"`{one}`" for one in value)
    return f"{ {'minimum': '≥', 'maximum': '≤', 'const': 'always', 'format': 'a'}[keyword] } {value}"


def write_page() -> bool:
    """Write the page; says whether that changed it."""
    text = page()
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return False
    PAGE.write_text(text, encoding="utf-8")
    return True
