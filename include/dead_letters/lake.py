"""Asks the lake for letters, by the Spark job ``letters.py``."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from include.config import Settings
from include.dead_letters.letter import Letter, Selection, letter_from
from include.dead_letters.replay import lines
from include.handover.submit import submit


class SparkLake:
    """Submits the job that finds letters, and the events that are there already."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def find(self, folder: Path, selection: Selection, rules: str, now: datetime, *, settle: bool) -> None:
        """See ``include.dead_letters.replay.Lake``."""
        self._submit(folder, selection, {"rules": rules, "now": now.isoformat(), "settle": settle, "present": True})

    def letters(self, selection: Selection) -> Iterator[Letter]:
        """The letters of a selection, the oldest first."""
        self._settings.platform_data_dir.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="letters-", dir=self._settings.platform_data_dir) as work:
            self._submit(Path(work), selection, {})
            for line in lines(Path(work) / "letters.jsonl"):
                yield letter_from(line)

    def _submit(self, folder: Path, selection: Selection, more: dict[str, object]) -> None:
        order = {"selection": selection.as_json(), **more}
        (folder / "order.json").write_text(json.dumps(order), encoding="utf-8")
        submit(self._settings, "letters.py", [str(folder)])
