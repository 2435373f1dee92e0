"""What plain Spark does on this machine: Kafka → JSON → window aggregation → nothing, as fast as it can."""

import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from include.config import Settings, load_settings
from include.names import Topic

_SCHEMA = "event_id string, event_time timestamp, event_type string"


def measure(spark: SparkSession, settings: Settings) -> dict[str, float]:
    """Read what the topic holds once; returns events and events per second."""
    records = (
        spark.read.format("kafka")
        .option("kafka.bootstrap.servers", settings.bootstrap_servers)
        .option("subscribe", Topic.USER_EVENTS.value)
        .option("minPartitions", "2")
        .load()
    )
    events = records.select(F.from_json(F.col("value").cast("string"), _SCHEMA).alias("event")).select("event.*")
    counted = events.groupBy(F.window("event_time", "10 seconds"), "event_type").count()
    begun = time.monotonic()
    counted.write.format("noop").mode("overwrite").save()
    seconds = time.monotonic() - begun
    rows = records.count()
    return {"events": rows, "eps": rows / seconds}


def main() -> None:
    """Print the median of three runs after one for warm-up."""
    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    settings = load_settings()
    runs = [measure(spark, settings) for _ in range(4)][1:]
    spark.stop()
    middle = sorted(runs, key=lambda run: run["eps"])[1]
    sys.stdout.write(f"{middle['eps']:.0f}\n")


if __name__ == "__main__":
    main()
