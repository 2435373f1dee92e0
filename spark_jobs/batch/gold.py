"""Silver to gold: metrics, sessions, funnel, products and stock, each day replaced as a whole, and customers.

    spark-submit --properties-file spark_jobs/conf/batch.conf spark_jobs/batch/gold.py [--days 7]

A run does the days of which silver got rows since the last one, and the days asked for. A table's days change in one
commit, so a reader sees all of them old or all of them new, and doing a day again writes the same rows.
"""

import argparse
import json
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Final

from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from include.config import Settings, get_settings
from include.erasure.person import ERASED
from include.names import Table
from include.stock.rules import load_rules
from spark_jobs.alone import alone
from spark_jobs.batch.days import add_arguments, chosen, in_days, in_days_sql
from spark_jobs.batch.families import days_since, silver_events
from spark_jobs.batch.progress import done_version, record
from spark_jobs.batch.silver import JOB as SILVER
from spark_jobs.io import read, table_exists, write
from spark_jobs.session import build_session
from spark_jobs.transforms.metrics import additive_metrics
from spark_jobs.transforms.products import product_days
from spark_jobs.transforms.profiles import customer_profiles
from spark_jobs.transforms.retention import weekly_retention
from spark_jobs.transforms.sessions import funnel, sessions
from spark_jobs.transforms.stock_history import stock_days, stock_movements

logger = logging.getLogger(__name__)

JOB: Final = "gold"
MINUTE: Final = 60
KEYS: Final = ("dimension", "value", "currency")
COUNTS: Final = ("events", "orders", "items", "returns", "sessions", "carts", "checkouts")
AMOUNTS: Final = ("revenue", "refunded")
_AT_ONCE: Final = 2


@dataclass
class GoldReport:
    """What a run did.

    Attributes:
        days: Days that were computed.
        rows: Rows written, by table.
    """

    days: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)


def longer(metrics: DataFrame, unit: str) -> DataFrame:
    """Metrics added up to windows of an hour or a day; every metric is additive.

    Args:
        metrics: Rows of shorter windows, with ``event_date``.
        unit: ``hour`` or ``day``.
    """
    sums = [F.sum(name).alias(name) for name in COUNTS]
    sums += [F.sum(name).cast("decimal(18,2)").alias(name) for name in AMOUNTS]
    start = F.date_trunc(unit, "window_start").alias("window_start")
    return metrics.groupBy(start, *KEYS, "event_date").agg(*sums).select(*metrics.columns)


def replace_days(rows: DataFrame, table: Table, settings: Settings, days: Sequence[str]) -> None:
    """Put rows in the place of everything that the table holds of these days, in one commit."""
    write(
        rows.repartition("event_date"),
        table,
        settings,
        mode="overwrite",
        partition_by=["event_date"],
        options={"replaceWhere": in_days_sql(days)},
    )


def _write_days(
    spark: SparkSession, settings: Settings, rows: DataFrame, table: Table, report: GoldReport
) -> DataFrame:
    """Replace the report's days; returns them as the table holds them now."""
    counted = Observation()
    replace_days(_observed(rows, counted), table, settings, report.days)
    report.rows[table.value] = int(counted.get["rows"])
    return read(spark, table, settings).where(in_days(report.days))


def _write_whole(settings: Settings, rows: DataFrame, table: Table, report: GoldReport) -> None:
    counted = Observation()
    write(_observed(rows, counted), table, settings, mode="overwrite")
    report.rows[table.value] = int(counted.get["rows"])


def _observed(rows: DataFrame, counted: Observation) -> DataFrame:
    # Counted as they are written: to count what the table holds took as long as to write it.
    return rows.observe(counted, F.count(F.lit(1)).alias("rows"))


def _write_customers(spark: SparkSession, settings: Settings, report: GoldReport) -> None:
    """What takes all orders to tell, replaced as a whole: what is usual for each customer, and who comes back."""
    if table_exists(spark, Table.SILVER_PURCHASES, settings):
        # A pseudonym is no customer: it was one.
        purchases = read(spark, Table.SILVER_PURCHASES, settings).where(~F.startswith("user_id", F.lit(ERASED)))
        _write_whole(settings, customer_profiles(purchases), Table.GOLD_CUSTOMER_PROFILES, report)
        _write_whole(settings, weekly_retention(purchases), Table.GOLD_RETENTION_WEEKLY, report)


def _write_metrics(spark: SparkSession, settings: Settings, events: DataFrame, report: GoldReport) -> None:
    minutes = additive_metrics(events, MINUTE).withColumn("event_date", F.to_date("window_start"))
    minutes = _write_days(spark, settings, minutes, Table.GOLD_METRICS_MINUTELY, report)
    hours = _write_days(spark, settings, longer(minutes, "hour"), Table.GOLD_METRICS_HOURLY, report)
    _write_days(spark, settings, longer(hours, "day"), Table.GOLD_METRICS_DAILY, report)


def _write_visits(spark: SparkSession, settings: Settings, events: DataFrame, report: GoldReport) -> None:
    visits = _write_days(spark, settings, sessions(events), Table.GOLD_SESSIONS, report)
    _write_days(spark, settings, funnel(visits), Table.GOLD_FUNNEL_DAILY, report)


def _write_stock(spark: SparkSession, settings: Settings, events: DataFrame, report: GoldReport) -> None:
    movements = stock_movements(events, load_rules(settings.stock_rules_file))
    _write_days(spark, settings, movements, Table.GOLD_STOCK_MOVEMENTS_DAILY, report)
    everything = read(spark, Table.GOLD_STOCK_MOVEMENTS_DAILY, settings)
    _write_whole(settings, stock_days(everything), Table.GOLD_STOCK_DAILY, report)


def _side_by_side(*parts: Callable[[], object]) -> None:
    """Tables that do not need each other: planning and compiling one keeps a single core busy."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for started in [pool.submit(part) for part in parts]:
            started.result()


def run(spark: SparkSession, settings: Settings, days: Sequence[str] = (), *, full: bool = False) -> GoldReport:
    """Compute the metrics of the days that changed, and of the days given.

    Args:
        spark: The session.
        settings: Says where the lake is.
        days: Further days (ISO).
        full: Compute every day of silver.
    """
    with alone(settings, JOB):
        return _run(spark, settings, days, full=full)


def _run(spark: SparkSession, settings: Settings, days: Sequence[str], *, full: bool) -> GoldReport:
    upto = done_version(spark, settings, SILVER)
    events = silver_events(spark, settings)
    if upto is None or events is None:
        return GoldReport()
    changed = days_since(spark, settings, None if full else done_version(spark, settings, JOB))
    report = GoldReport(days=sorted({*changed, *days}))
    if report.days:
        chosen = events.where(in_days(report.days))
        _side_by_side(
            lambda: _write_metrics(spark, settings, chosen, report),
            lambda: _write_visits(spark, settings, chosen, report),
            lambda: _write_stock(spark, settings, chosen, report),
            lambda: _write_days(spark, settings, product_days(chosen), Table.GOLD_PRODUCTS_DAILY, report),
            lambda: _write_customers(spark, settings, report),
        )
    record(spark, settings, JOB, upto)
    logger.info("gold %s", json.dumps(asdict(report)))
    return report


def main(arguments: Sequence[str] | None = None) -> None:
    """Run as a Spark job."""
    parser = argparse.ArgumentParser(description="Silver to gold.")
    add_arguments(parser)
    parser.add_argument("--full", action="store_true", help="every day of silver")
    options = parser.parse_args(arguments)
    days = chosen(options, parser)
    spark = build_session("gold", "batch")
    try:
        run(spark, get_settings(), days, full=options.full)
    finally:
        spark.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    main()
