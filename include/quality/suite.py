"""Suites: what a table promises, one JSON file per table in ``expectations/``."""

from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from include.config import PROJECT_ROOT
from include.errors import ConfigurationError
from include.names import Table

SUITES_DIR: Final = PROJECT_ROOT / "expectations"


class Severity(StrEnum):
    """What a broken promise means: a critical one blocks publication, a warning only alerts."""

    CRITICAL = "critical"
    WARNING = "warning"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Part):
    """One expectation.

    Attributes:
        type: Great Expectations' name of it, for example ``expect_column_values_to_be_unique``.
        kwargs: Its arguments.
        severity: Ours; Great Expectations only shows it.
        about: Why, for whoever reads the failure.
        personal: Whether the values are about a person: they are counted, never shown.
    """

    type: str = Field(pattern=r"^expect_[a-z_]+$")
    kwargs: dict[str, Any] = {}
    severity: Severity = Severity.CRITICAL
    about: str = ""
    personal: bool = False


class Reference(_Part):
    """A column of truth values: whether the key is found in another table.

    Attributes:
        key: Column of the table that is validated; where it is null, the truth value is null.
        table: The other table; a table that does not exist yet makes every truth value null.
        column: Its column.
        where: Which of its rows count, as SQL.
    """

    key: str
    table: Table
    column: str
    where: str = "true"


class Suite(_Part):
    """What one table promises.

    Attributes:
        table: The table.
        about: What the suite holds, in a sentence.
        structure: Expectations derived from the contract by ``python -m include.quality``; not edited by hand.
        structure_columns: Columns that these need, as SQL; derived as well.
        columns: Further columns to check, as SQL, for example a sum that must be zero.
        references: Further columns that say whether a key is found elsewhere.
        rules: Expectations written by hand.
    """

    table: Table
    about: str
    structure: tuple[Rule, ...] = ()
    structure_columns: dict[str, str] = {}
    columns: dict[str, str] = {}
    references: dict[str, Reference] = {}
    rules: tuple[Rule, ...] = ()

    @property
    def expectations(self) -> tuple[Rule, ...]:
        """All of them: structure first."""
        return (*self.structure, *self.rules)


def suite_path(table: Table, folder: Path = SUITES_DIR) -> Path:
    """Where a table's suite is."""
    return folder / f"{table.value}.json"


def tables_with_suites(folder: Path = SUITES_DIR) -> list[Table]:
    """The tables that promise something, in the order of the layers."""
    return [table for table in Table if suite_path(table, folder).exists()]


def load_suite(table: Table, folder: Path = SUITES_DIR) -> Suite:
    """Read a table's suite.

    Raises:
        ConfigurationError: If there is none, or it is not a suite; names the field.
    """
    path = suite_path(table, folder)
    if not path.exists():
        known = ", ".join(tables_with_suites(folder))
        raise ConfigurationError(f"{table} has no suite: write {path.name} in {folder.name}/, or choose one of {known}")
    try:
        return Suite.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        found = "; ".join(f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors())
        raise ConfigurationError(f"{path.name}: {found}") from error
