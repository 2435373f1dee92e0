"""A driver that the supervisor had to start again is told once, and once more when its streams are well."""

from pathlib import Path

import pytest

from include.config import Settings
from include.names import Part
from include.orchestration.endings import alerts_of, endings
from include.supervision.health import Verdict
from include.supervision.speed_layer import SpeedLayerState

STARTED = 1_000_000.0
WELL = [Verdict("live_metrics"), Verdict("bronze_archive"), Verdict("kafka")]
SICK = [Verdict("live_metrics", "failed", ("no driver runs it",), restart=True), Verdict("bronze_archive")]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, platform_data_dir=tmp_path)


def state(urgent: float, background: float = STARTED + 2, wanted: float | None = STARTED) -> SpeedLayerState:
    started = {Part.SPEED_LAYER: urgent, Part.SPEED_LAYER_BACKGROUND: background}
    return SpeedLayerState(pids={}, started_at=started, wanted_at=wanted, heartbeats={})


def told(settings: Settings, now: SpeedLayerState, verdicts: list[Verdict]) -> list[tuple[str, bool]]:
    return [(alert.key, alert.resolved) for alert in alerts_of(settings, now, verdicts)]


def test_a_start_that_was_asked_for_is_nothing_to_tell(settings: Settings) -> None:
    assert told(settings, state(STARTED + 5), WELL) == []


def test_what_nobody_wants_to_run_ends_on_purpose() -> None:
    assert endings(state(STARTED + 500, wanted=None)) == {}


def test_an_ending_is_told_once_and_its_end_once(settings: Settings) -> None:
    again = state(STARTED + 500)

    assert told(settings, again, SICK) == [("speed-layer/ended/speed-layer", False)]
    assert told(settings, again, SICK) == []
    assert told(settings, again, WELL) == [("speed-layer/ended/speed-layer", True)]
    assert told(settings, again, WELL) == []


def test_a_second_ending_is_told_again(settings: Settings) -> None:
    told(settings, state(STARTED + 500), SICK)

    assert told(settings, state(STARTED + 900), SICK) == [("speed-layer/ended/speed-layer", False)]


def test_a_sick_stream_of_the_other_driver_keeps_no_ending_open(settings: Settings) -> None:
    now = state(STARTED + 5, background=STARTED + 700)

    assert told(settings, now, SICK) == [("speed-layer/ended/speed-layer-background", False)]
    assert told(settings, now, SICK) == [("speed-layer/ended/speed-layer-background", True)]
