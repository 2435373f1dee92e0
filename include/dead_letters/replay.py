"""Replays letters: repairs them by rules, sends what is not there yet, and gives a receipt."""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from include.config import Settings
from include.contracts.validation import Rejection
from include.dead_letters.ledger import Ledger, Outcome, dead_letters_dir
from include.dead_letters.letter import Letter, Place, Selection, letter_from
from include.dead_letters.masking import shown
from include.dead_letters.patches import Rule
from include.dead_letters.receipt import SAMPLES, Receipt
from include.dead_letters.repair import Identity, Repaired, repair

logger = logging.getLogger(__name__)

# Between two notes in the ledger: what a killed replay may have to look up again.
_CHUNK = 500


class Lake(Protocol):
    """Where letters and events are; ``include.dead_letters.lake`` asks Spark."""

    def find(self, folder: Path, selection: Selection, rules: str, now: datetime, *, settle: bool) -> None:
        """Write ``letters.jsonl`` and ``present.jsonl`` into a folder.

        Args:
            folder: An empty folder.
            selection: Which letters.
            rules: The rules as YAML; empty for none.
            now: The time of the repair.
            settle: First wait until bronze holds all that Kafka has.
        """


class Shop(Protocol):
    """Whoever sends events; returns when all are acknowledged, or raises."""

    def send(self, events: Sequence[tuple[str, Repaired]]) -> None:
        """Send events, each with its topic."""


class Replay:
    """One replay.

    Args:
        lake: Finds letters and the events that are there.
        shop: Sends.
        clock: The present time.
    """

    def __init__(
        self,
        settings: Settings,
        lake: Lake,
        shop: Shop,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._lake = lake
        self._shop = shop
        self._clock = clock
        self._ledger = Ledger(settings)

    def run(
        self,
        selection: Selection,
        rules: Sequence[Rule] = (),
        rules_text: str = "",
        *,
        name: str = "none",
        rehearse: bool = False,
        link: str = "",
    ) -> Receipt:
        """Replay the letters of a selection.

        Doing it again sends nothing twice: letters with an outcome are left alone, and an event that silver or bronze
        holds is not sent. A replay that was killed is finished by the next.

        Args:
            selection: Which letters.
            rules: The rules that repair them.
            rules_text: The same as YAML, for the Spark job.
            name: What the receipt calls the rules.
            rehearse: Send and note nothing.
            link: The Airflow run, for the receipt.
        """
        now = self._clock()
        receipt = Receipt(
            run=f"replay-{now:%Y%m%dT%H%M%S%f}",
            started_at=now.isoformat(timespec="milliseconds"),
            is_rehearsal=rehearse,
            selection=selection.as_json(),
            rules=f"{name} ({len(rules)} rules)",
            link=link,
        )
        folder = dead_letters_dir(self._settings)
        folder.mkdir(parents=True, exist_ok=True)
        # The letters' bytes are personal: they are gone when the replay ends.
        with self._ledger.alone(), TemporaryDirectory(prefix="replay-", dir=folder) as work:
            outcomes = self._ledger.outcomes()
            settle = Outcome.SENDING in outcomes.values()
            self._lake.find(Path(work), selection, rules_text, now, settle=settle)
            self._replay(Path(work), rules, now, outcomes, receipt)
        receipt.finished_at = self._clock().isoformat(timespec="milliseconds")
        logger.info("run=%s %s", receipt.run, receipt.in_words())
        return receipt

    def _replay(
        self, work: Path, rules: Sequence[Rule], now: datetime, outcomes: dict[Place, Outcome], receipt: Receipt
    ) -> None:
        present = {Identity(**json.loads(line)) for line in lines(work / "present.jsonl")}
        waiting: list[tuple[Letter, Repaired]] = []
        decided: dict[Outcome, list[Place]] = {Outcome.REFUSED: [], Outcome.PRESENT: []}
        for line in lines(work / "letters.jsonl"):
            letter = letter_from(line)
            earlier = outcomes.get(letter.place)
            if earlier is not None and earlier.is_final:
                receipt.count(letter.reason, Outcome.PRESENT)
                continue
            result = repair(letter, rules, now)
            if isinstance(result, Rejection):
                receipt.count(letter.reason, Outcome.REFUSED)
                receipt.refused.append(_told(letter, result))
                decided[Outcome.REFUSED].append(letter.place)
            elif result.identity in present:
                receipt.count(letter.reason, Outcome.PRESENT)
                decided[Outcome.PRESENT].append(letter.place)
            else:
                present.add(result.identity)
                waiting.append((letter, result))
                if len(receipt.samples) < SAMPLES:
                    receipt.samples.append(_sample(letter, result))
            if len(waiting) >= _CHUNK:
                self._send(waiting, receipt)
        self._send(waiting, receipt)
        for outcome, places in decided.items():
            self._note(places, outcome, receipt)

    def _send(self, waiting: list[tuple[Letter, Repaired]], receipt: Receipt) -> None:
        if waiting and not receipt.is_rehearsal:
            places = [letter.place for letter, _ in waiting]
            # Noted before: whoever finds this note without an outcome looks whether the event arrived.
            self._note(places, Outcome.SENDING, receipt)
            self._shop.send([(letter.place.topic, event) for letter, event in waiting])
            self._note(places, Outcome.REPAIRED, receipt)
        for letter, _ in waiting:
            receipt.count(letter.reason, Outcome.REPAIRED)
        waiting.clear()

    def _note(self, places: list[Place], outcome: Outcome, receipt: Receipt) -> None:
        if not receipt.is_rehearsal:
            self._ledger.put(places, outcome, receipt.run)


def lines(path: Path) -> Iterator[str]:
    """The lines of a file; none where there is no file."""
    if path.exists():
        with path.open(encoding="utf-8") as opened:
            yield from opened


def _told(letter: Letter, rejection: Rejection) -> dict[str, str]:
    return {
        "place": str(letter.place),
        "reason": rejection.reason.value,
        "field": rejection.field,
        "expected": rejection.expected,
        "found": rejection.found,
    }


def _sample(letter: Letter, event: Repaired) -> dict[str, str]:
    return {
        "place": str(letter.place),
        "rules": ", ".join(map(str, event.used)) or "none",
        "before": shown(letter.value, letter.topic),
        "after": shown(event.value, letter.topic),
    }
