"""The measuring and stopping of producers; without a broker."""

import os
import signal

import pytest

from include.config import Settings
from include.errors import PartUnavailableError
from include.local.ports import find_free
from include.producers.latency import LatencyHistogram
from include.producers.sender import Sender
from include.producers.stopping import stop_on_signals


def test_percentiles_are_exact_to_a_tenth_of_a_millisecond() -> None:
    histogram = LatencyHistogram()
    for milliseconds in range(1, 101):
        histogram.add(milliseconds / 1000 - 0.00005)
    assert histogram.percentile_ms(50) == pytest.approx(50.0)
    assert histogram.percentile_ms(99) == pytest.approx(99.0)


def test_no_latency_has_no_percentile() -> None:
    assert LatencyHistogram().percentile_ms(99) is None


def test_sigterm_asks_to_stop_and_the_handler_from_before_is_back_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_on_signals() as stopped:
        assert not stopped()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stopped()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_broker_that_is_away_is_named_with_its_address_and_the_mend() -> None:
    address = f"127.0.0.1:{next(iter(find_free(1)))}"
    sender = Sender(Settings(_env_file=None, kafka_bootstrap_servers=address))
    with pytest.raises(PartUnavailableError, match=rf"no broker at {address} .* ./run.sh start"):
        sender.connect(wait_seconds=0)
