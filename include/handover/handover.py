"""The handover from speed to batch: seal, recompute, compare, index, switch. Exact, or refused.

Every step is noted in the run's record after it is done, and doing a step again changes nothing. So a handover that is
killed anywhere is finished by the next one, and readers of the alias see the old view or the new one, never a half.
"""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from elasticsearch import Elasticsearch

from include.config import Settings
from include.errors import HandoverRefusedError
from include.handover.batch_indices import batch_index, fill, verify
from include.handover.cells import hours_in, read_hour
from include.handover.comparison import Comparison, compare
from include.handover.report import alert_of, health_of, write_comparison
from include.handover.runs import HandoverRun, RunStore, Step, now
from include.handover.segments import Segment, SegmentLedger, ledger_of, segment_index
from include.handover.speed_sums import hours_of, sums_of_hour
from include.handover.switch import delete_replaced, switch_over

logger = logging.getLogger(__name__)

# Does the batch side for the run in a folder; in production by spark-submit.
Recompute = Callable[[Path], None]

_POLL_SECONDS: Final = 0.2


class Handover:
    """One platform's handovers."""

    def __init__(
        self, settings: Settings, client: Elasticsearch, recompute: Recompute, ledger: SegmentLedger | None = None
    ) -> None:
        self._settings = settings
        self._client = client
        self._recompute = recompute
        self._ledger = ledger or ledger_of(settings)
        self.store = RunStore(settings)

    def run(self, *, rehearse: bool = False, accept: str | None = None) -> HandoverRun | None:
        """Finish the run that was interrupted, or hand over what is sealed now.

        Args:
            rehearse: Compute and compare, but switch nothing.
            accept: A person's reason to switch in spite of unexplained differences.

        Returns:
            The run's record; None when there is nothing to hand over.

        Raises:
            HandoverRefusedError: If the layers differ without a reason and nobody accepted it.
            HandoverBusyError: If another handover runs.
        """
        with self.store.alone():
            self._clean_up()
            run = self.store.unfinished() or self._plan()
            if run is None:
                return None
            if accept:
                run = self.store.save(replace(run, accepted=accept))
            while not run.step.is_last:
                run = self.advance(run, rehearse=rehearse)
            return run

    def _plan(self) -> HandoverRun | None:
        segments = self._seal()
        return self.store.plan(segments) if segments else None

    def _seal(self) -> list[Segment]:
        """Ask for a seal and wait; what was sealed before is taken also when the speed layer does not answer."""
        request = self._ledger.request_seal()
        deadline = time.monotonic() + self._settings.handover_seal_seconds
        while self._ledger.seal_request() == request and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        return self._ledger.sealed()

    def advance(self, run: HandoverRun, *, rehearse: bool = False) -> HandoverRun:
        """Do the next step of a run and note it."""
        if run.step is Step.COMPARED and rehearse:
            return self.store.save(replace(run, step=Step.REHEARSED, finished_at=now()))
        steps = {
            Step.PLANNED: self._compute,
            Step.COMPUTED: self._compare,
            Step.COMPARED: self._index,
            Step.INDEXED: self._switch,
            Step.SWITCHED: self._close,
        }
        started = time.monotonic()
        done = self.store.save(steps[run.step](run))
        logger.info("handover=%s step=%s seconds=%.1f", done.run_id, done.step, time.monotonic() - started)
        return done

    def _result(self, run: HandoverRun) -> dict[str, Any]:
        result: dict[str, Any] = json.loads((self.store.folder(run) / "result.json").read_text(encoding="utf-8"))
        return result

    def _compute(self, run: HandoverRun) -> HandoverRun:
        folder = self.store.folder(run)
        if not (folder / "result.json").exists():
            self._recompute(folder)
        result = self._result(run)
        return replace(run, step=Step.COMPUTED, days=tuple(sorted(result["days"])), causes=result["causes"])

    def _compare(self, run: HandoverRun) -> HandoverRun:
        indices = [segment_index(number) for number in run.segments]
        cells = self.store.folder(run) / "cells"
        self._client.indices.refresh(index=indices)
        hours = sorted({*hours_of(self._client, indices), *hours_in(cells)})
        comparison = compare(
            hours, lambda hour: sums_of_hour(self._client, indices, hour), lambda hour: read_hour(cells, hour)
        )
        report = write_comparison(self.store.folder(run), run, comparison)
        refused = comparison.unexplained > 0 and run.accepted is None
        compared = replace(
            run,
            step=Step.REFUSED if refused else Step.COMPARED,
            finished_at=now() if refused else None,
            drift=comparison.drift,
            unexplained=comparison.unexplained,
        )
        self._tell(compared, comparison)
        if refused:
            self.store.save(compared)
            raise HandoverRefusedError(run.run_id, comparison.unexplained, str(report))
        return compared

    def _tell(self, run: HandoverRun, comparison: Comparison) -> None:
        from include.alerting.outbox import Outbox
        from include.serving.pipeline_health import publish

        publish(self._client, [health_of(run, comparison)])
        Outbox(self._settings).put(alert_of(run, comparison))

    def _index(self, run: HandoverRun) -> HandoverRun:
        expected = self._result(run)["days"]
        for day in run.days:
            index = batch_index(day, run.run_id)
            count = fill(self._client, self._settings, index, self.store.folder(run) / "documents" / f"day={day}")
            verify(self._client, index, expected[day])
            logger.info("handover=%s index=%s documents=%s", run.run_id, index, count)
        return replace(run, step=Step.INDEXED)

    def _switch(self, run: HandoverRun) -> HandoverRun:
        switch_over(self._client, run.run_id, run.days, run.segments)
        return replace(run, step=Step.SWITCHED)

    def _close(self, run: HandoverRun) -> HandoverRun:
        for number in run.segments:
            self._ledger.mark_handed_over(number, run.run_id)
        return replace(run, step=Step.DONE, finished_at=now())

    def _clean_up(self) -> None:
        """Delete what earlier handovers replaced, when it is long enough ago."""
        last = self.store.last_done()
        if last is None or last.finished_at is None or self.store.unfinished() is not None:
            return
        age = (datetime.now(UTC) - datetime.fromisoformat(last.finished_at)).total_seconds()
        if age < self._settings.handover_keep_seconds:
            return
        numbers = [segment.number for segment in self._ledger.segments() if segment.handed_over_by is not None]
        if deleted := delete_replaced(self._client, numbers):
            logger.info("deleted replaced indices: %s", ", ".join(deleted))
