"""Mappings: how the rows of somebody's file become events, as a validated YAML file."""

from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from include.errors import ConfigurationError
from include.names import RAW_TOPICS, Topic

# Those that come with the platform.
SHIPPED: Final = Path(__file__).with_name("mappings")

_LEAF_KEYS: Final = {"constant", "column", "template"}
_STRICT: Final = ConfigDict(extra="forbid", frozen=True)


class Source(BaseModel):
    """What the file looks like.

    Attributes:
        header: Whether the first line names the columns.
        columns: Names of the columns in their order, instead of those of the header line.
    """

    model_config = _STRICT
    format: Literal["csv", "whitespace", "jsonl", "parquet"]
    header: bool = True
    columns: list[str] | None = Field(None, min_length=1)
    delimiter: str = Field(",", min_length=1, max_length=1)
    encoding: str = "utf-8"

    @model_validator(mode="after")
    def _columns_have_names(self) -> "Source":
        if self.format in ("csv", "whitespace") and not self.header and self.columns is None:
            raise ValueError("without a header line, columns must name the columns")
        return self


class FieldRule(BaseModel):
    """Where a field's value comes from, and how it is read.

    Attributes:
        template: Text with columns in braces, and ``{line}`` for the line number: equal rows get different ids by it.
        format: Of a time, as in Python's strptime; without it ISO 8601. A time without a zone is UTC.
        decimal_mark: What stands before the decimals of a number or an amount.
        values: Translates the column's text; what is not listed is refused.
        optional: Leaves the field out where the column is empty.
    """

    model_config = _STRICT
    constant: str | int | float | bool | None = None
    column: str | None = None
    template: str | None = None
    type: Literal["text", "integer", "number", "decimal", "time"] = "text"
    format: str | None = None
    decimal_mark: Literal[".", ","] = "."
    values: dict[str, str] | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _one_origin(self) -> "FieldRule":
        if len(self.model_fields_set & _LEAF_KEYS) != 1:
            raise ValueError("give exactly one of constant, column, template")
        if self.format is not None and self.type != "time":
            raise ValueError("format goes with type: time")
        return self


class Mapping(BaseModel):
    """A whole mapping file; ``fields`` is a tree whose leaves are field rules."""

    model_config = _STRICT
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
    topic: Topic
    source: Source
    fields: dict[str, Any]

    @model_validator(mode="after")
    def _raw_topic(self) -> "Mapping":
        if self.topic not in RAW_TOPICS:
            raise ValueError(f"topic must be one of {', '.join(RAW_TOPICS)}")
        return self


def read_mapping(path: Path) -> Mapping:
    """Read and check a mapping.

    Args:
        path: A file, or the name of one that comes with the platform, as ``cdnow``.

    Raises:
        ConfigurationError: If it cannot be used; names the key, what was found and the mend.
    """
    shipped = SHIPPED / f"{path}.yaml"
    if path == Path(path.name) and not path.exists() and shipped.exists():
        path = shipped
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        names = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.yaml")))
        raise ConfigurationError(
            f"--mapping {path}: cannot be read: {error}. Give a file, or one that comes with the platform: {names}"
        ) from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"--mapping {path}: is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}: expected the keys name, topic, source, fields; found {content!r}")
    try:
        mapping = Mapping.model_validate(content)
    except ValidationError as error:
        raise ConfigurationError(_readable(error, path, "")) from error
    return mapping.model_copy(update={"fields": _tree(mapping.fields, "fields", path)})


def _tree(node: Any, where: str, path: Path) -> Any:
    if isinstance(node, list):
        return [_tree(item, f"{where}[{number}]", path) for number, item in enumerate(node)]
    if not isinstance(node, dict) or not node:
        raise ConfigurationError(
            f"{path}: {where}: expected a rule such as {{column: NAME}} or {{constant: VALUE}}, found {node!r}"
        )
    # A leaf has constant, column or template with a plain value; an event's field of that name has a rule as value.
    if any(not isinstance(node.get(key, {}), dict | list) for key in _LEAF_KEYS):
        try:
            return FieldRule.model_validate(node)
        except ValidationError as error:
            raise ConfigurationError(_readable(error, path, where)) from error
    return {name: _tree(child, f"{where}.{name}", path) for name, child in node.items()}


def _readable(error: ValidationError, path: Path, where: str) -> str:
    lines = []
    for item in error.errors():
        key = ".".join(part for part in (where, *map(str, item["loc"])) if part) or "the mapping"
        lines.append(f"{path}: {key}: {item['msg'].removeprefix('Value error, ')}; found {item['input']!r}")
    return "\n".join(lines)
