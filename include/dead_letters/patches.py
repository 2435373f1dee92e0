"""Rules that repair refused events, as a validated YAML file.

rules:
  - {set: $.country, value: GB, when: {topic: user-events, values: {$.country: uk}}}
  - {rename: $.userId, to: $.user_id}
  - {cast: $.items[*].quantity, to: integer, when: {reason: wrong_type}}
  - {default: $.schema_version, value: 1}
  - {drop: $.debug}
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from include.contracts.fields import fields_of
from include.contracts.registry import load_contracts
from include.contracts.rules import Reason
from include.dead_letters.casts import CASTS, cast
from include.dead_letters.letter import Letter
from include.dead_letters.paths import Path, get, holders, parse, places, put, remove
from include.errors import ConfigurationError
from include.names import RAW_TOPICS, Topic

_STRICT: Final = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
ACTIONS: Final = ("set", "rename", "cast", "default", "drop")
# Where each action puts something, which the contract must know.
_TARGET: Final = {"set": "set", "rename": "to", "cast": "cast", "default": "default"}

PathText = Annotated[Path, BeforeValidator(parse)]


class When(BaseModel):
    """Which letters a rule is for; without any, for all.

    Attributes:
        topic: Of this topic.
        reason: Refused for this reason.
        field: Refused for this field, as the letter names it.
        values: Whose document has these values now.
    """

    model_config = _STRICT
    topic: Topic | None = None
    reason: Reason | None = None
    field: str | None = None
    values: dict[str, Any] = {}

    @model_validator(mode="after")
    def _sound(self) -> "When":
        if self.topic is not None and self.topic not in RAW_TOPICS:
            raise ValueError(f"topic must be one of {', '.join(RAW_TOPICS)}")
        for path in self.values:
            parse(path)
        return self

    def fits(self, letter: Letter, document: Any) -> bool:
        """Whether a letter, as it is by now, is meant."""
        return (
            self.topic in (None, letter.topic)
            and self.reason in (None, letter.reason)
            and self.field in (None, letter.field)
            and all(
                any(get(document, place) == value for place in places(document, parse(path)))
                for path, value in self.values.items()
            )
        )


class Rule(BaseModel):
    """One rule: exactly one of the actions, with the path that it works on.

    Attributes:
        to: Of ``rename``, the new path; of ``cast``, the kind.
        value: Of ``set`` and ``default``, what is put there.
        when: Which letters it is for.
    """

    model_config = _STRICT
    set: PathText | None = None
    rename: PathText | None = None
    cast: PathText | None = None
    default: PathText | None = None
    drop: PathText | None = None
    to: str | None = None
    value: Any = None
    when: When = Field(default_factory=When)

    @property
    def action(self) -> str:
        """Which of the actions it is."""
        return next(name for name in ACTIONS if name in self.model_fields_set)

    @model_validator(mode="after")
    def _one_action(self) -> "Rule":
        given = [name for name in ACTIONS if name in self.model_fields_set]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(ACTIONS)}; found {', '.join(given) or 'none'}")
        for name, takers in (("to", ("rename", "cast")), ("value", ("set", "default"))):
            if (name in self.model_fields_set) is not (given[0] in takers):
                raise ValueError(f"{name} goes with {' and '.join(takers)}, and these need it")
        if given[0] == "cast" and self.to not in CASTS:
            raise ValueError(f"to: found {self.to!r}, choose one of {', '.join(CASTS)}")
        if self.rename is not None and parse(str(self.to)).wildcards != self.rename.wildcards:
            raise ValueError(f"to: {self.to} has not the same [*] as {self.rename.text}: each item keeps its place")
        return self

    def apply(self, document: Any) -> bool:
        """Change a document in place; says whether it is another than before."""
        before = copy.deepcopy(document)
        if self.rename is not None:
            self._rename(document, self.rename)
        elif self.drop is not None:
            # From the end, so that the places of an array's earlier items stay what they are.
            for place in reversed(list(places(document, self.drop))):
                remove(document, place)
        else:
            self._put(document)
        return _differs(before, document)

    def _put(self, document: Any) -> None:
        path = self.set or self.default or self.cast
        assert path is not None
        there = list(places(document, path))
        if self.cast is not None:
            for place in there:
                put(document, place, cast(get(document, place), str(self.to)))
            return
        for place in holders(document, path):
            if self.set is not None or place not in there:
                put(document, place, copy.deepcopy(self.value))

    def _rename(self, document: Any, old: Path) -> None:
        new = parse(str(self.to)).steps
        for place in list(places(document, old)):
            target = (*place[: len(old.wildcards)], *new[len(old.wildcards) :])
            value = get(document, place)
            # What is there already is not written over: which of the two is right, nobody knows here.
            if not any(True for _ in places(document, Path(target, ""))) and put(document, target, value):
                remove(document, place)


def _differs(before: Any, after: Any) -> bool:
    # To Python, True is 1 and 1.0 is 1; to a contract they are not.
    return bool(before != after) or repr(before) != repr(after)


def read_rules(text: str, name: str) -> tuple[Rule, ...]:
    """Read and check rules.

    Args:
        text: YAML: a mapping with ``rules``, a list.
        name: What errors call it, for example the file's name.

    Raises:
        ConfigurationError: If a rule cannot be used; names rule and field, what was found and the mend, for each.
    """
    try:
        body = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{name}: is not YAML: {error}") from error
    found = body.get("rules") if isinstance(body, dict) and set(body) == {"rules"} else None
    if not isinstance(found, list) or not found:
        raise ConfigurationError(f"{name}: expected one key rules with a list of rules; found {str(body)[:100]!r}")
    rules: list[Rule] = []
    wrong: list[str] = []
    for number, one in enumerate(found, start=1):
        try:
            rule = Rule.model_validate(one)
        except ValidationError as error:
            wrong += _readable(error, name, number)
        else:
            wrong += [f"{name}: rule {number}: {said}" for said in _unknown_target(rule)]
            rules.append(rule)
    if wrong:
        raise ConfigurationError("\n".join(wrong))
    return tuple(rules)


def _readable(error: ValidationError, name: str, number: int) -> list[str]:
    lines = []
    for item in error.errors():
        where = ".".join(str(part) for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        said = f"; found {item['input']!r}" if where else ""
        lines.append(f"{name}: rule {number}: {f'{where}: ' if where else ''}{message}{said}")
    return lines


def _unknown_target(rule: Rule) -> Sequence[str]:
    if rule.action not in _TARGET:
        return ()
    target = getattr(rule, _TARGET[rule.action])
    path = parse(target) if isinstance(target, str) else target
    known = {
        field.path
        for contract in load_contracts()
        if rule.when.topic in (None, contract.topic)
        for field in fields_of(contract.schema)
    }
    if path.fields in known:
        return ()
    near = sorted(".".join(one) for one in known if one[-1] == path.fields[-1])
    hint = f"; is it $.{near[0].replace('.[]', '[*]')}?" if near else f"; first fields: {_some(known)}"
    return [f"{rule.action}: no contract has {path.text}{hint}"]


def _some(known: set[tuple[str, ...]]) -> str:
    return ", ".join(f"$.{one[0]}" for one in sorted(known) if len(one) == 1)


def patched(document: Mapping[str, Any], letter: Letter, rules: Sequence[Rule]) -> tuple[dict[str, Any], list[int]]:
    """A document after the rules that fit its letter, one after the other, and the numbers of those that changed it."""
    after = copy.deepcopy(dict(document))
    used = [number for number, rule in enumerate(rules, start=1) if rule.when.fits(letter, after) and rule.apply(after)]
    return after, used
