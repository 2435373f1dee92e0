from pathlib import Path

import pytest

from include.config import Settings
from include.orchestration.restarts import History, Step, decide, keep, load, pause_after

NOW = 1_800_000_000.0


@pytest.mark.parametrize(("restarts", "seconds"), [(0, 0), (1, 60), (2, 120), (4, 480), (5, 600), (50, 600)])
def test_each_restart_makes_the_next_pause_longer_up_to_ten_minutes(restarts: int, seconds: float) -> None:
    assert pause_after(restarts) == seconds


def test_what_is_healthy_is_left_alone() -> None:
    assert decide(History(), is_sick=False, now=NOW, cap=6) == (Step.NOTHING, History())


def test_the_first_restart_is_at_once_the_next_one_waits() -> None:
    step, history = decide(History(), is_sick=True, now=NOW, cap=6)
    assert (step, history) == (Step.RESTART, History((NOW,), is_open=True))

    step, history = decide(history, is_sick=True, now=NOW + 59, cap=6)
    assert step is Step.WAIT

    step, history = decide(history, is_sick=True, now=NOW + 60, cap=6)
    assert (step, history.restarts) == (Step.RESTART, (NOW, NOW + 60))


def test_at_the_cap_it_gives_up_and_says_so_once() -> None:
    tried = History((NOW - 1800, NOW - 700), is_open=True)

    step, history = decide(tried, is_sick=True, now=NOW, cap=2)
    assert (step, history.gave_up) == (Step.GIVE_UP, True)

    step, history = decide(history, is_sick=True, now=NOW + 60, cap=2)
    assert step is Step.WAIT


def test_restarts_of_more_than_an_hour_ago_no_longer_count() -> None:
    step, history = decide(History((NOW - 3600,), is_open=True, gave_up=True), is_sick=True, now=NOW, cap=1)

    assert (step, history) == (Step.RESTART, History((NOW,), is_open=True))


def test_recovery_is_told_once_and_its_restarts_still_count() -> None:
    step, history = decide(History((NOW - 90,), is_open=True), is_sick=False, now=NOW, cap=6)
    assert (step, history) == (Step.RECOVERED, History((NOW - 90,)))

    assert decide(history, is_sick=False, now=NOW + 60, cap=6)[0] is Step.NOTHING


def test_the_history_outlives_the_process(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, platform_data_dir=tmp_path)  # type: ignore[call-arg]
    assert load(settings) == History()

    keep(settings, History((NOW,), is_open=True, gave_up=True))

    assert load(settings) == History((NOW,), is_open=True, gave_up=True)
