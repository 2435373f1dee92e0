"""Sends a shop's events at their times, measures the acknowledgements, and keeps the truth."""

import gc
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from confluent_kafka import KafkaError, Message

from include.producers.latency import LatencyHistogram
from include.producers.sender import Sender
from include.simulator.customers import population
from include.simulator.events import Event
from include.simulator.options import SimulationOptions
from include.simulator.shop import Shop
from include.simulator.truth import TruthWriter

logger = logging.getLogger(__name__)

# The sender wakes two hundred times a second and sends what is due; waking for each event would cost the core.
_TICK_SECONDS: Final = 0.005
_LONGEST_SLEEP: Final = 0.1
_SERVE_EVERY: Final = 200
_FLUSH_SECONDS: Final = 30.0
_GROWN_UP_AFTER: Final = 50_000


@dataclass
class TrafficReport:
    """How a run goes.

    Attributes:
        latency: From the time at which an event was to be sent until the broker's acknowledgement. As it begins at the
            schedule and not at the sending, a sender that falls behind shows.
        most_behind: Largest delay of a sending behind its schedule, seconds.
        cpu_seconds: Of this process while it sent, the client's own threads included.
    """

    run_id: str = ""
    sent: int = 0
    acknowledged: int = 0
    failed: int = 0
    bytes_sent: int = 0
    most_behind: float = 0.0
    cpu_seconds: float = 0.0
    begun: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    stopped_early: bool = False
    latency: LatencyHistogram = field(default_factory=LatencyHistogram)

    @property
    def rate(self) -> float:
        """Events per second so far."""
        return self.sent / self.seconds if self.seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "run": self.run_id,
            "sent": self.sent,
            "acknowledged": self.acknowledged,
            "failed": self.failed,
            "bytes": self.bytes_sent,
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 2),
            "rate": round(self.rate, 1),
            "most_behind_ms": round(self.most_behind * 1000, 1),
            "stopped_early": self.stopped_early,
            "ack_ms": {
                **{f"p{percent:g}": self.latency.percentile_ms(percent) for percent in (50, 95, 99, 99.9)},
                "max": round(self.latency.maximum * 1000, 1),
            },
        }


class Traffic:
    """One run of the shop against Kafka.

    Args:
        from_now: The shop's time begins when it opens, whatever the options' start says.
        paced: False sends as fast as the broker takes it.
        stopped: Asked all the time; when it answers true the run ends in order.
        on_progress: Called about once a second.
    """

    def __init__(
        self,
        options: SimulationOptions,
        sender: Sender,
        truth: TruthWriter | None,
        stopped: Callable[[], bool],
        on_progress: Callable[[TrafficReport], None] = lambda _report: None,
        from_now: bool = False,
        paced: bool = True,
    ) -> None:
        self._options = options
        self._sender = sender
        self._truth = truth
        self._stopped = stopped
        self._on_progress = on_progress
        self._from_now = from_now
        self._paced = paced
        self.report = TrafficReport()

    def run(self) -> TrafficReport:
        """Send until the end or until stopped; then wait for the acknowledgements and close the truth.

        Returns:
            The report; ``failed`` counts what the broker did not acknowledge.
        """
        if self._truth is not None:
            self._truth.open()
        shop = self._open_shop()
        # Customers live as long as the run: the collector need not look at them again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_GROWN_UP_AFTER, 20, 50)
        cpu = time.process_time()
        try:
            self._send_all(shop)
        finally:
            self.report.cpu_seconds = time.process_time() - cpu
            self.report.failed += self._give_up()
            gc.unfreeze()
        return self.report

    def _open_shop(self) -> Shop:
        """The customers take seconds to come together at high rates, hence the time is looked up after that."""
        customers = population(self._options.population)
        if self._from_now:
            self._options = replace(self._options, start_ms=time.time_ns() // 1_000_000)
        self.report.run_id = self._options.run_id
        if self._truth is not None:
            self._truth.begin(self._options.run_id)
        return Shop(self._options, customers)

    def _give_up(self) -> int:
        before = self.report.failed
        left = self._sender.finish(_FLUSH_SECONDS)
        counted = self.report.failed - before
        self.report.seconds = time.monotonic() - self.report.begun
        if left:
            logger.error("not_acknowledged=%s after_seconds=%.0f", left, _FLUSH_SECONDS)
        if self._truth is not None:
            self._truth.close()
        return max(0, left - counted)

    def _send_all(self, shop: Shop) -> None:
        report, send = self.report, self._sender.send
        begin = self._options.start_ms / 1000
        acceleration, paced = self._options.acceleration, self._paced
        clock = time.monotonic
        origin = report.begun = clock()
        next_progress = origin + 1
        for event in shop.events():
            now = clock()
            due = origin + (event.slot - begin) / acceleration if paced else now
            if due > now:
                now = self._sleep_until(due)
            if self._stopped():
                report.stopped_early = True
                return
            behind = now - due
            if behind > report.most_behind:
                report.most_behind = behind
            if not send(event.topic, event.key, event.value, partial(self._delivered, event, behind)):
                report.stopped_early = True
                return
            report.sent += 1
            report.bytes_sent += len(event.value or b"")
            if report.sent % _SERVE_EVERY == 0:
                self._sender.serve()
            if now >= next_progress:
                next_progress = now + 1
                self._breathe(now)

    def _sleep_until(self, due: float) -> float:
        while True:
            self._sender.serve()
            now = time.monotonic()
            if due <= now or self._stopped():
                return now
            time.sleep(min(max(due - now, _TICK_SECONDS), _LONGEST_SLEEP))

    def _breathe(self, now: float) -> None:
        self.report.seconds = now - self.report.begun
        self._on_progress(self.report)
        if self._truth is not None:
            self._truth.write_when_due()

    def _delivered(self, event: Event, behind: float, error: KafkaError | None, message: Message) -> None:
        report = self.report
        if error is None:
            report.acknowledged += 1
            report.latency.add(message.latency() + behind)
        else:
            report.failed += 1
            if report.failed <= 3:
                logger.error(
                    "not_acknowledged event_id=%s topic=%s reason=%s", event.event_id, event.topic, error.str()
                )
        if self._truth is not None:
            self._truth.add(event, error is None)
