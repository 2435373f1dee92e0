"""Days of ``metrics`` loaded again from gold, on a real Elasticsearch."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from include.config import Settings
from include.errors import ConfigurationError, HandoverRefusedError
from include.handover.batch_indices import IncompleteIndexError
from include.handover.reload import go_back, reload
from include.names import Alias, Table
from include.serving.aliases import indices_behind
from include.serving.reindex import ReindexReport
from spark_jobs.batch import export_metrics
from spark_jobs.io import read, write
from tests.integration.handover_shop import DAY, Shop, open_shop, void
from tests.spark.bronze_rows import order, visit
from tests.spark.conftest import spark  # noqa: F401

TODAY, YESTERDAY = "2026-03-10", "2026-03-09"


@pytest.fixture
def shop(spark: SparkSession, elasticsearch: Settings, tmp_path: Path) -> Iterator[Shop]:  # noqa: F811
    with open_shop(spark, elasticsearch, tmp_path) as opened:
        yield opened


def reloaded(shop: Shop, **options: bool) -> ReindexReport:
    def export(folder: Path) -> None:
        void(export_metrics.export(shop.spark, shop.settings, folder))

    return reload(shop.settings, shop.client, shop.settings.platform_data_dir / "export", export, **options)


def batch_indices(shop: Shop) -> list[str]:
    return [name for name in indices_behind(shop.client, Alias.METRICS) if "-batch-" in name]


def test_lost_indices_come_back_with_the_same_sums_and_live_segments_stay(shop: Shop) -> None:
    shop.receive(order("a", 0), order("b", 1, "2.50", happened=-DAY), visit("v", 0))
    shop.hand_over()
    shop.receive(order("c", 2, "0.10", at=60))
    before = shop.total()
    shop.client.indices.delete(index=batch_indices(shop))
    assert shop.total() == (1, 10)

    report = reloaded(shop)

    assert shop.total() == before == (3, 1260)
    assert (report.old, report.old_count) == ("nothing", 0)
    assert report.new_count == report.loaded > 0
    shop.hand_over()
    assert shop.total() == before


def test_present_indices_are_replaced_in_one_action_and_can_be_put_back(shop: Shop) -> None:
    shop.receive(order("a", 0), order("b", 1, "2.50", happened=-DAY))
    shop.hand_over()
    first = batch_indices(shop)

    report = reloaded(shop)
    assert report.old == ", ".join(first)
    assert report.new == ", ".join(batch_indices(shop))
    assert shop.total() == (2, 1250)
    assert reloaded(shop).old == report.new

    assert ", ".join(go_back(shop.client)) == report.new
    assert shop.total() == (2, 1250)
    shop.receive(order("c", 2, "0.10", at=60))
    shop.hand_over()
    assert shop.total() == (3, 1260)


def test_a_day_whose_last_handover_was_refused_is_left_alone(
    shop: Shop,
    caplog: pytest.LogCaptureFixture,
) -> None:
    shop.receive(order("a", 0), order("b", 1, "2.50", happened=-DAY))
    shop.hand_over()
    shop.receive(order("c", 2, "0.10", at=60))
    shop.show_phantom("metrics-speed-000002")
    with pytest.raises(HandoverRefusedError):
        shop.hand_over()
    before = batch_indices(shop)

    with caplog.at_level(logging.WARNING):
        report = reloaded(shop)

    assert TODAY in caplog.text
    assert YESTERDAY in report.new
    assert TODAY not in report.new
    assert [name for name in batch_indices(shop) if TODAY in name] == [name for name in before if TODAY in name]


def test_a_table_that_lost_rows_is_refused(shop: Shop) -> None:
    shop.receive(order("a", 0), visit("v", 0))
    shop.hand_over()
    rows = read(shop.spark, Table.GOLD_METRICS_10S, shop.settings).where("dimension = 'all'").localCheckpoint()
    write(rows, Table.GOLD_METRICS_10S, shop.settings, mode="overwrite")
    before = batch_indices(shop)

    with pytest.raises(ConfigurationError, match="would have 2 documents"):
        reloaded(shop)

    assert batch_indices(shop) == before


def test_nothing_is_switched_when_an_index_does_not_hold_what_gold_adds_up_to(
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop.receive(order("a", 0))
    shop.hand_over()
    before = batch_indices(shop)
    totals = export_metrics.totals
    monkeypatch.setattr(
        export_metrics, "totals", lambda rows: {day: {**sums, "orders": 9} for day, sums in totals(rows).items()}
    )

    with pytest.raises(IncompleteIndexError, match="orders is 1, computed 9"):
        reloaded(shop)

    assert batch_indices(shop) == before


def test_before_the_first_handover_there_is_nothing_to_load_or_to_go_back_to(shop: Shop) -> None:
    shop.receive(order("a", 0))
    with pytest.raises(ConfigurationError, match=r"python main\.py handover"):
        reloaded(shop)
    with pytest.raises(ConfigurationError, match="metrics cannot go back"):
        go_back(shop.client)
