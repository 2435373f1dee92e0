"""Segments: which micro-batches of the live query belong to which index, and up to which offsets each index reaches.

The ledger is one small JSON file, replaced by atomic rename under a file lock: the live query's driver seals segments,
a batch run marks them as handed over. Nothing else decides where a micro-batch goes, so a replayed micro-batch lands
where its first try landed.
"""

import fcntl
import json
import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from include.config import Settings
from include.handover.checkpoint import LedgerError as LedgerError
from include.handover.checkpoint import Offsets as Offsets


@dataclass(frozen=True)
class Segment:
    """A run of micro-batches that share one index.

    Attributes:
        number: 1 for the first; also the number in the index's name.
        query_id: Spark's id of the live query, kept in its checkpoint.
        first_batch: First micro-batch in it.
        last_batch: Last micro-batch in it; None while it is open.
        end_offsets: Per topic and partition, the first offset that is not in it; None while it is open.
        sealed_at: When it was sealed (UTC, ISO 8601); None while it is open.
        seal_request: The request that sealed it, so that no request is answered twice.
        handed_over_by: The batch run that replaced it; None until then.
    """

    number: int
    query_id: str
    first_batch: int
    last_batch: int | None = None
    end_offsets: Offsets | None = None
    sealed_at: str | None = None
    seal_request: str | None = None
    handed_over_by: str | None = None

    @property
    def index(self) -> str:
        """Name of its index."""
        return segment_index(self.number)

    @property
    def is_open(self) -> bool:
        """Whether micro-batches may still be added."""
        return self.last_batch is None

    def holds(self, batch_id: int) -> bool:
        """Whether a micro-batch belongs to it."""
        return self.first_batch <= batch_id and (self.last_batch is None or batch_id <= self.last_batch)


def segment_index(number: int) -> str:
    """Name of a segment's index."""
    return f"metrics-speed-{number:06d}"


def write_atomically(path: Path, text: str, *, durable: bool = True) -> None:
    """Replace a file so that a reader, and a crash, see the old or the new one but never a part.

    Args:
        path: The file; its folder is made.
        text: What it holds afterwards.
        durable: Whether the new one must outlive a power cut as well.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    fresh.replace(path)


class SegmentLedger:
    """All segments, oldest first; what a batch run works with."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._marker = path.with_name("seal-request")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def segments(self) -> list[Segment]:
        """Every segment, oldest first; the last one may be open."""
        if not self._path.exists():
            return []
        rows: list[dict[str, Any]] = json.loads(self._path.read_text(encoding="utf-8"))["segments"]
        return [
            replace(
                Segment(**row),
                end_offsets=with_int_keys(row["end_offsets"]) if row["end_offsets"] is not None else None,
            )
            for row in rows
        ]

    def _write(self, segments: list[Segment]) -> None:
        write_atomically(self._path, json.dumps({"segments": [asdict(segment) for segment in segments]}, indent=1))

    def request_seal(self) -> str:
        """Ask the live query to seal the open segment.

        It does so at its next micro-batch, or within a second when no input arrives; never when the segment holds no
        micro-batch. Asking again before that changes nothing.

        Returns:
            Id of the request, which the sealed segment carries as ``seal_request``.
        """
        with self._locked():
            pending = self.seal_request()
            if pending is not None:
                return pending
            request = uuid.uuid4().hex
            write_atomically(self._marker, request)
            return request

    def seal_request(self) -> str | None:
        """The request that waits for the live query; None when there is none."""
        try:
            return self._marker.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def sealed(self) -> list[Segment]:
        """Sealed segments that no batch run has replaced yet, oldest first."""
        return [segment for segment in self.segments() if not segment.is_open and segment.handed_over_by is None]

    def mark_handed_over(self, number: int, run: str) -> None:
        """Note that a batch run replaced a sealed segment; the same run may say so again.

        Raises:
            LedgerError: If there is no such sealed segment, or another run replaced it.
        """
        with self._locked():
            segments = self.segments()
            found = next((segment for segment in segments if segment.number == number), None)
            if found is None or found.is_open:
                raise LedgerError(f"segment {number} is not sealed: only a sealed segment can be handed over")
            if found.handed_over_by not in (None, run):
                raise LedgerError(f"segment {number} was handed over by run {found.handed_over_by}, not by {run}")
            self._write([replace(s, handed_over_by=run) if s.number == number else s for s in segments])


def with_int_keys(offsets: dict[str, dict[str, int]]) -> Offsets:
    """Offsets as they come from JSON, where every key is a text."""
    return {topic: {int(number): end for number, end in partitions.items()} for topic, partitions in offsets.items()}


def ledger_path(settings: Settings) -> Path:
    """Where the ledger of a platform is."""
    return settings.platform_data_dir / "segments" / "ledger.json"


def ledger_of(settings: Settings) -> SegmentLedger:
    """The ledger of a platform, for a batch run."""
    return SegmentLedger(ledger_path(settings))
