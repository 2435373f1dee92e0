from datetime import date, datetime, timedelta

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.transforms.sessions import funnel, sessions

SCHEMA = (
    "event_date date, session_id string, user_id string, device_type string, country string, event_type string, "
    "event_time timestamp, topic string, partition int, offset long"
)
NOON = datetime(2026, 3, 10, 12, 0)


def events(spark: SparkSession, rows: list[tuple[str | None, str, int]]) -> DataFrame:
    """Events as (session, type, seconds after noon); the session's name begins with its device's kind."""
    return spark.createDataFrame(
        [
            (
                date(2026, 3, 10) + timedelta(days=seconds // 43_200),
                session,
                "ann",
                session and session.split("-")[0],
                "DE" if number % 2 == 0 else "FR",
                kind,
                NOON + timedelta(seconds=seconds),
                "user-events",
                0,
                number,
            )
            for number, (session, kind, seconds) in enumerate(rows)
        ],
        SCHEMA,
    )


def test_a_session_has_its_counts_its_first_country_and_its_span(spark: SparkSession) -> None:
    visits = sessions(
        events(spark, [("mobile-1", "product_view", 30), ("mobile-1", "search", 10), ("mobile-1", "add_to_cart", 40)])
    )
    (row,) = visits.collect()
    assert (row["device_type"], row["country"], row["events"]) == ("mobile", "FR", 3)
    assert (row["product_views"], row["searches"], row["carts"], row["orders"]) == (1, 1, 1, 0)
    assert (row["ended_at"] - row["started_at"]).total_seconds() == 30


def test_a_session_past_midnight_is_in_both_days_and_events_without_one_in_none(spark: SparkSession) -> None:
    visits = sessions(
        events(spark, [("mobile-1", "search", 0), ("mobile-1", "search", 43_200), (None, "review_submitted", 1)])
    )
    assert sorted(row["event_date"].isoformat() for row in visits.collect()) == ["2026-03-10", "2026-03-11"]


def test_the_funnel_counts_who_came_at_least_so_far(spark: SparkSession) -> None:
    visits = sessions(
        events(
            spark,
            [
                ("mobile-1", "order_placed", 0),
                ("mobile-2", "product_view", 0),
                ("tablet-3", "checkout_started", 0),
                ("tablet-4", "session_start", 0),
            ],
        )
    )
    found = {
        row["value"]: tuple(row[name] for name in ("sessions", "viewed", "carted", "checked_out", "ordered"))
        for row in funnel(visits).where("dimension IN ('all', 'device')").collect()
    }
    assert found == {"all": (4, 3, 2, 2, 1), "mobile": (2, 2, 1, 1, 1), "tablet": (2, 1, 1, 1, 0)}
