"""Each stream has one driver, and the urgent ones do not wait for the others."""

from pathlib import Path

import pytest

from include.config import Settings
from include.names import Part, Query
from include.supervision import speed_layer
from include.supervision.shares import Share, queries_of, share_of, shares_of


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, platform_data_dir=tmp_path)


def test_every_query_belongs_to_one_share(settings: Settings) -> None:
    shares = [queries_of(settings, share) for share in Share]

    assert sorted(query for share in shares for query in share) == sorted(queries_of(settings))
    urgent = {query for query in Query if share_of(query) is Share.URGENT}
    assert urgent == {Query.LIVE_METRICS, Query.FRAUD_INSTANT, Query.BRONZE_ARCHIVE}


def test_what_is_switched_off_belongs_to_none(settings: Settings) -> None:
    assert Query.LIVE_USER_EVENTS not in queries_of(settings, Share.BACKGROUND)
    searched = settings.model_copy(update={"search_user_events": True})
    assert Query.LIVE_USER_EVENTS in queries_of(searched, Share.BACKGROUND)


def test_a_share_without_queries_needs_no_driver(settings: Settings) -> None:
    assert shares_of([Query.LIVE_METRICS]) == {Share.URGENT: (Query.LIVE_METRICS,)}
    assert list(speed_layer.programs(settings, [Query.DEAD_LETTERS])) == [Part.SPEED_LAYER_BACKGROUND]


def test_only_the_background_has_a_lower_priority(settings: Settings) -> None:
    urgent, background = speed_layer.programs(settings.model_copy(update={"background_priority": "idle"})).values()

    assert background.command[0] in ("chrt", "nice")
    assert urgent.command[0] == "/bin/sh"


@pytest.mark.parametrize(("priority", "begins"), [("low", ["nice", "-n", "10"]), ("normal", ["/bin/sh"])])
def test_where_there_are_processors_for_it_the_background_may_have_more(
    settings: Settings, priority: str, begins: list[str]
) -> None:
    _, background = speed_layer.programs(settings.model_copy(update={"background_priority": priority})).values()

    assert list(background.command[: len(begins)]) == begins


def test_drivers_have_different_ports_for_their_uis(settings: Settings) -> None:
    commands = [" ".join(program.command) for program in speed_layer.programs(settings).values()]

    assert f"spark.ui.port={settings.spark_ui_port}" in commands[0]
    assert f"spark.ui.port={settings.spark_background_ui_port}" in commands[1]
