"""What becomes of one letter: an event that keeps its contract, or the reason why it is still none."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.contracts import strict_json
from include.contracts.registry import contracts_by_topic
from include.contracts.rules import MAX_BYTES
from include.contracts.validation import Rejection, check
from include.dead_letters.letter import Letter
from include.dead_letters.patches import Rule, patched


@dataclass(frozen=True)
class Identity:
    """What tells an event: see docs/decisions/006."""

    topic: str
    event_id: str
    day: str


@dataclass(frozen=True)
class Repaired:
    """An event that may be sent.

    Attributes:
        identity: Which event it is.
        key: Its key.
        value: Its bytes: those of the letter where no rule changed them.
        used: Numbers of the rules that changed it.
    """

    identity: Identity
    key: bytes
    value: bytes
    used: tuple[int, ...]


def repair(letter: Letter, rules: Sequence[Rule], now: datetime) -> Repaired | Rejection:
    """Apply rules to a letter and check the result as if Kafka took it now.

    A letter that keeps its contract by now is repaired without any rule: a later version of the contract takes it, its
    time is no longer in the future, or only its key was wrong, which the contract derives from the event.

    Args:
        letter: The refused record.
        rules: The rules, in their order.
        now: The time that the future begins at.
    """
    value, used = _patched(letter, rules)
    rejection = check(value, letter.topic, kafka_time=now)
    if rejection is not None or value is None:
        return rejection or _refused(letter)
    event: dict[str, Any] = strict_json.loads(value.decode("utf-8"))
    key = str(event[contracts_by_topic()[letter.topic].key_field]).encode()
    identity = Identity(letter.place.topic, event["event_id"], event["event_time"][:10])
    return Repaired(identity, key, value, tuple(used))


def _refused(letter: Letter) -> Rejection:
    from include.contracts.rules import Reason

    return Rejection(letter.stage, Reason(letter.reason), letter.field, letter.expected, letter.found, letter.contract)


def _patched(letter: Letter, rules: Sequence[Rule]) -> tuple[bytes | None, list[int]]:
    if letter.value is None or len(letter.value) > MAX_BYTES:
        return letter.value, []
    try:
        document = strict_json.loads(letter.value.decode("utf-8"))
    except (ValueError, RecursionError):
        return letter.value, []
    if not isinstance(document, dict):
        return letter.value, []
    after, used = patched(document, letter, rules)
    if not used:
        return letter.value, []
    try:
        return json.dumps(after, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(), used
    except ValueError:
        # A number beyond what JSON writes; the letter's own bytes tell why it is refused.
        return letter.value, []
