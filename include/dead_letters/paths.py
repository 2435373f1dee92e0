"""Paths into a JSON document, a small part of JSONPath: ``$.device.device_id``, ``$.items[*].quantity``, ``$.a[0]``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

EVERY: Final = "*"
_STEP: Final = re.compile(r"\.(?P<name>[A-Za-z_][A-Za-z0-9_-]*)|\['(?P<quoted>[^']+)'\]|\[(?P<index>\d+|\*)\]")

Step = str | int


@dataclass(frozen=True)
class Path:
    """A path with at least one step; a step is a field's name, a place in an array, or every place (``*``).

    Attributes:
        steps: The steps; ``("items", EVERY, "quantity")``. A field named ``*`` cannot be written.
        text: As it was written.
    """

    steps: tuple[Step, ...]
    text: str

    @property
    def fields(self) -> tuple[str, ...]:
        """The path as contracts have it: places in arrays are ``[]``."""
        return tuple("[]" if isinstance(step, int) or step == EVERY else step for step in self.steps)

    @property
    def wildcards(self) -> tuple[Step, ...]:
        """The steps up to the last ``[*]``, which a second path of the same rule must share."""
        last = max((number for number, step in enumerate(self.steps) if step == EVERY), default=-1)
        return self.steps[: last + 1]


def parse(text: str) -> Path:
    """Read a path.

    Raises:
        ValueError: If the text is none; says what one looks like.
    """
    wrong = ValueError(f"{text!r} is no path: write it as $.field, $.items[*].quantity or $.items[0].amount")
    if not isinstance(text, str) or not text.startswith("$") or len(text) == 1:
        raise wrong
    steps: list[Step] = []
    at = 1
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise wrong
        index = match["index"]
        steps.append((match["name"] or match["quoted"]) if index is None else EVERY if index == EVERY else int(index))
        at = match.end()
    return Path(tuple(steps), text)


def places(document: Any, path: Path) -> Iterator[tuple[Step, ...]]:
    """The concrete paths at which a document has a value."""
    yield from _places(document, path.steps, ())


def _places(node: Any, steps: tuple[Step, ...], so_far: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    if not steps:
        yield so_far
        return
    step, rest = steps[0], steps[1:]
    if isinstance(node, list):
        numbers = range(len(node)) if step == EVERY else [step] if isinstance(step, int) and step < len(node) else []
        for number in numbers:
            yield from _places(node[number], rest, (*so_far, number))
    elif isinstance(node, dict) and step in node:
        yield from _places(node[step], rest, (*so_far, step))


def holders(document: Any, path: Path) -> list[tuple[Step, ...]]:
    """Concrete paths at which a value may be put: every object of a ``[*]``, and fields that are not there yet."""
    first = next((number for number, step in enumerate(path.steps) if step == EVERY), None)
    if first is None:
        return [path.steps]
    array = Path(path.steps[:first], path.text)
    found = []
    for place in places(document, array):
        node = get(document, place)
        for number in range(len(node)) if isinstance(node, list) else ():
            rest = Path(path.steps[first + 1 :], path.text)
            inner = holders(node[number], rest) if rest.steps else [()]
            found += [(*place, number, *tail) for tail in inner]
    return found


def get(document: Any, place: tuple[Step, ...]) -> Any:
    """The value at a concrete path that exists."""
    for step in place:
        document = document[step]
    return document


def put(document: Any, place: tuple[Step, ...], value: Any) -> bool:
    """Put a value, making objects on the way; says whether it could: text has no fields."""
    for step in place[:-1]:
        if isinstance(document, dict) and isinstance(step, str):
            document = document.setdefault(step, {})
        elif isinstance(document, list) and isinstance(step, int) and step < len(document):
            document = document[step]
        else:
            return False
    last = place[-1]
    fits = (isinstance(document, dict) and isinstance(last, str)) or (
        isinstance(document, list) and isinstance(last, int) and last < len(document)
    )
    if fits:
        document[last] = value
    return fits


def remove(document: Any, place: tuple[Step, ...]) -> Any:
    """Take a value out of its object or array; returns it."""
    return get(document, place[:-1]).pop(place[-1])
