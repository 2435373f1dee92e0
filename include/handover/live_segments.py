"""The segment ledger as the driver of the live query uses it."""

import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from include.handover.checkpoint import LedgerError, end_offsets_of, query_id_of
from include.handover.segments import Segment, SegmentLedger


class LiveSegments(SegmentLedger):
    """The ledger as the driver of the live query uses it: it opens and seals. One driver has one of these."""

    def __init__(self, path: Path, checkpoint: Path) -> None:
        super().__init__(path)
        self._checkpoint = checkpoint
        self._latest_asked = -1
        self._thread_lock = threading.Lock()

    def segment_of(self, batch_id: int) -> Segment:
        """The segment of a micro-batch; the answer never changes. Call it before the micro-batch is written.

        Raises:
            LedgerError: If the ledger was written by a query with another checkpoint.
        """
        with self._thread_lock, self._locked():
            self._latest_asked = max(self._latest_asked, batch_id)
            segments = self._own_segments(batch_id)
            current = segments[-1]
            if current.first_batch < batch_id and current.is_open:
                segments = self._honour_request(segments, last_batch=batch_id - 1)
            for segment in reversed(segments):
                if segment.holds(batch_id):
                    return segment
        raise LedgerError(f"micro-batch {batch_id} is older than the first segment in {self._path}")

    def seal_when_idle(self) -> None:
        """Seal what was asked for, when no micro-batch comes to do it. Call it about once a second."""
        if self.seal_request() is None:
            return
        with self._thread_lock, self._locked():
            segments = self.segments()
            committed = max((int(p.name) for p in (self._checkpoint / "commits").glob("[0-9]*")), default=-1)
            if not segments or self._latest_asked > committed or segments[-1].first_batch > committed:
                return
            self._honour_request(segments, last_batch=committed)

    def begin_anew(self, query_id: str, before: str, last_batch: int, first_batch: int) -> str:
        """Seal what the query of this checkpoint wrote, and open a segment for another one that goes on from there.

        Args:
            query_id: Id of the query that goes on.
            before: Id of the query of this checkpoint.
            last_batch: The last micro-batch that it has done.
            first_batch: The first micro-batch of the query that goes on.

        Returns:
            Name of the index that the query of this checkpoint wrote last. Doing it again changes nothing.
        """
        with self._thread_lock, self._locked():
            segments = self.segments()
            own = [segment for segment in segments if segment.query_id == before]
            if segments and own and segments[-1].query_id == before:
                current = segments[-1]
                following = Segment(number=current.number, query_id=query_id, first_batch=first_batch)
                segments = segments[:-1]
                if current.first_batch <= last_batch:
                    segments.append(self._sealed(current, last_batch, None))
                    following = replace(following, number=current.number + 1)
                self._write([*segments, following])
            return own[-1].index if own else Segment(1, before, 0).index

    def _sealed(self, segment: Segment, last_batch: int, request: str | None) -> Segment:
        return replace(
            segment,
            last_batch=last_batch,
            end_offsets=end_offsets_of(self._checkpoint, last_batch),
            sealed_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            seal_request=request,
        )

    def _own_segments(self, batch_id: int) -> list[Segment]:
        segments, query_id = self.segments(), query_id_of(self._checkpoint)
        if not segments:
            segments = [Segment(number=1, query_id=query_id, first_batch=batch_id)]
            self._write(segments)
        if segments[-1].query_id != query_id:
            raise LedgerError(
                f"{self._path} belongs to query {segments[-1].query_id}, the checkpoint {self._checkpoint} to query "
                f"{query_id}: counting on would count events twice. Bring the old checkpoint back, or start "
                "afresh with ./run.sh reset"
            )
        return segments

    def _honour_request(self, segments: list[Segment], last_batch: int) -> list[Segment]:
        request = self.seal_request()
        if request is None:
            return segments
        # After a crash between the two steps below the ledger already knows the request.
        if all(segment.seal_request != request for segment in segments):
            current = segments[-1]
            sealed = self._sealed(current, last_batch, request)
            following = Segment(number=current.number + 1, query_id=current.query_id, first_batch=last_batch + 1)
            segments = [*segments[:-1], sealed, following]
            self._write(segments)
        self._marker.unlink(missing_ok=True)
        return segments
