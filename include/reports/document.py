"""A report as parts that any format can show."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Grid:
    """A table; all but the first column is aligned to the right."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Chart:
    """Values over labels.

    Attributes:
        title: What is drawn, with its unit.
        shape: Bars side by side, or bars that lie below each other with long labels.
        labels: Of each value.
        values: Not below zero.
    """

    title: str
    shape: Literal["columns", "bars"]
    labels: tuple[str, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Section:
    """A heading with what belongs to it."""

    title: str
    parts: tuple[Text | Grid | Chart, ...]


@dataclass(frozen=True)
class Report:
    """The whole.

    Attributes:
        name: Its file's name without an ending.
        title: Its heading.
        highlights: Its most important figures; they stand first, and in the message.
    """

    name: str
    title: str
    highlights: dict[str, str]
    sections: tuple[Section, ...]
