"""Showing how a start goes: a table that moves on a terminal, one line for each step elsewhere."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from include.names import Part


class StartProgress:
    """What each part is doing at the moment."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = time.monotonic()
        self._lock = threading.Lock()
        self._doing: dict[Part, str | None] = {}
        self._since: dict[Part, float] = {}
        self._took: dict[Part, float] = {}

    def report(self, part: Part, doing: str | None) -> None:
        """Take note of a step; None says that the part is healthy."""
        now = time.monotonic()
        with self._lock:
            self._since.setdefault(part, now)
            self._doing[part] = doing
            if doing is None:
                self._took[part] = now - self._since[part]
        if not self._console.is_terminal:
            self._console.print(
                f"{now - self._begun:6.1f} s  {part}: {doing or 'healthy'}", highlight=False, soft_wrap=True
            )

    def __rich__(self) -> RenderableType:
        """The moving table."""
        with self._lock:
            doing = list(self._doing.items())
        width = max((len(part) for part, _ in doing), default=0)
        return Group(*(self._line(part, words, width) for part, words in doing))

    def _line(self, part: Part, doing: str | None, width: int) -> RenderableType:
        name = part.ljust(width)
        if doing is None:
            return Text.assemble(("✓ ", "green"), name, (f"  healthy after {self._took[part]:.0f} s", "dim"))
        first = doing.splitlines()[0][:100]
        waited = time.monotonic() - self._since[part]
        return Spinner("dots", Text.assemble(name, (f"  {waited:.0f} s  {first}", "dim")))


@contextmanager
def start_progress(console: Console) -> Iterator[StartProgress]:
    """Show the progress while the block runs."""
    progress = StartProgress(console)
    if not console.is_terminal:
        yield progress
        return
    with Live(progress, console=console, refresh_per_second=8):
        yield progress
