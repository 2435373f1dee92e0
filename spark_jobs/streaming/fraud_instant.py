"""Orders in Kafka to the topic ``fraud-alerts``: rules that one order breaks by itself, within milliseconds.

    spark-submit --properties-file spark_jobs/conf/live.conf spark_jobs/streaming/fraud_instant.py [--once]

The query runs in Spark's Real-Time Mode: a row is judged and sent on when it arrives, without waiting for a batch.
It holds one task slot for each partition of ``purchases``. Profiles are read anew, and progress is kept, every few
minutes; after a crash the orders since then are judged again, and their alerts have the same ids.
"""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming import StreamingQuery

from include.config import Settings
from include.fraud.rules import load_rules
from include.names import Query, Table, Topic
from spark_jobs.io import Stream, read, table_exists, write
from spark_jobs.streaming.driver import Running, main
from spark_jobs.transforms.fraud_alerts import kafka_messages
from spark_jobs.transforms.fraud_instant import instant_alerts, orders_at_a_glance, with_profiles
from spark_jobs.transforms.profiles import PROFILE_SCHEMA


def profiles(spark: SparkSession, settings: Settings) -> DataFrame:
    """The customers' profiles; an empty table is made when the batch layer wrote none yet, so that they come later."""
    if not table_exists(spark, Table.GOLD_CUSTOMER_PROFILES, settings):
        write(spark.createDataFrame([], PROFILE_SCHEMA), Table.GOLD_CUSTOMER_PROFILES, settings)
    return read(spark, Table.GOLD_CUSTOMER_PROFILES, settings)


def start(running: Running) -> StreamingQuery:
    """Start the query."""
    settings = running.settings
    rules = load_rules(settings.fraud_rules_file)
    records = read(running.spark, [Topic.PURCHASES], settings, stream=True, real_time=not running.once)
    orders = with_profiles(orders_at_a_glance(records), profiles(running.spark, settings))
    alerts = instant_alerts(orders, rules)
    stream = Stream(
        Query.FRAUD_INSTANT,
        running.every(Query.FRAUD_INSTANT),
        output="append" if running.once else "update",
        real_time=True,
    )
    query = write(kafka_messages(alerts), Topic.FRAUD_ALERTS, settings, stream=stream)
    assert query is not None
    return query


if __name__ == "__main__":
    main("fraud-instant", {Query.FRAUD_INSTANT: start})
