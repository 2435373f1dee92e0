"""Events in Kafka to the topic ``fraud-alerts``: what a customer or a device does within minutes.

    spark-submit --properties-file spark_jobs/conf/live.conf spark_jobs/streaming/fraud_patterns.py [--once]

Windows are of event time, so a replay of last year's history raises what last year would have raised. What arrives
later than ``patterns.late_minutes`` after the newest event is left to the batch layer; the heartbeat counts it.
"""

import logging

from pyspark.sql import DataFrame
from pyspark.sql.streaming import StreamingQuery

from include.fraud.rules import FraudRules, load_rules
from include.names import Query, Topic
from spark_jobs.io import Stream, read, write
from spark_jobs.streaming.driver import Running, main
from spark_jobs.streaming.trails import Trails
from spark_jobs.transforms.fraud_alerts import kafka_messages
from spark_jobs.transforms.fraud_patterns import OBSERVED_COLUMNS, may_be_observed, observations, pattern_alerts
from spark_jobs.transforms.parse import parse_events, valid_events

logger = logging.getLogger(__name__)


class PatternSink:
    """Looks for patterns in each micro-batch and what came before; the same finding has the same id every time."""

    def __init__(self, running: Running, rules: FraudRules) -> None:
        self._running = running
        self._rules = rules
        self._trails = Trails(running.spark, running.settings, rules.patterns)

    def write(self, observed: DataFrame, batch_id: int) -> None:
        """Send one micro-batch's alerts."""
        self._running.leases[Query.FRAUD_PATTERNS].require()
        windows = self._trails.windows(observed, batch_id)
        self._running.counts.count_too_late(Query.FRAUD_PATTERNS, self._trails.late)
        if not self._trails.found:
            return
        # Each further event of a burst finds it again.
        alerts = pattern_alerts(windows, self._rules).dropDuplicates(["alert_id"])
        write(kafka_messages(alerts), Topic.FRAUD_ALERTS, self._running.settings)
        logger.debug("query=fraud_patterns batch=%s windows=%s", batch_id, self._trails.found)

    def warm_up(self, observed: DataFrame, batch_id: int) -> None:
        """Remember the events of micro-batches whose alerts are out."""
        self._trails.windows(observed, batch_id)


def start(running: Running) -> StreamingQuery:
    """Start the query."""
    settings = running.settings
    rules = load_rules(settings.fraud_rules_file)
    records = read(running.spark, [Topic.USER_EVENTS, Topic.PURCHASES], settings, stream=True).where(may_be_observed())
    sink = PatternSink(running, rules)
    query = write(
        observations(valid_events(parse_events(records, OBSERVED_COLUMNS)), rules),
        sink.write,
        settings,
        stream=Stream(Query.FRAUD_PATTERNS, running.every(Query.FRAUD_PATTERNS), warm_up=sink.warm_up),
    )
    assert query is not None
    return query


if __name__ == "__main__":
    main("fraud-patterns", {Query.FRAUD_PATTERNS: start})
