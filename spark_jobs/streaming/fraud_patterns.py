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
from spark_jobs.transforms.fraud_alerts import kafka_messages
from spark_jobs.transforms.fraud_patterns import may_be_observed, observations, pattern_alerts, window_states
from spark_jobs.transforms.parse import parse_events, valid_events

logger = logging.getLogger(__name__)


class AlertSink:
    """Sends the alerts of each micro-batch's changed windows; the same finding has the same id every time."""

    def __init__(self, running: Running, rules: FraudRules) -> None:
        self._running = running
        self._rules = rules

    def write(self, states: DataFrame, batch_id: int) -> None:
        """Send one micro-batch's alerts."""
        self._running.leases[Query.FRAUD_PATTERNS].require()
        # Overlapping windows find the same thing twice.
        alerts = pattern_alerts(states, self._rules).dropDuplicates(["alert_id"])
        write(kafka_messages(alerts), Topic.FRAUD_ALERTS, self._running.settings)
        logger.debug("query=fraud_patterns batch=%s", batch_id)


def start(running: Running) -> StreamingQuery:
    """Start the query."""
    settings = running.settings
    rules = load_rules(settings.fraud_rules_file)
    records = read(running.spark, [Topic.USER_EVENTS, Topic.PURCHASES], settings, stream=True).where(may_be_observed())
    events = valid_events(parse_events(records)).withWatermark("event_time", f"{rules.patterns.late_minutes} minutes")
    query = write(
        window_states(observations(events, rules), rules),
        AlertSink(running, rules).write,
        settings,
        stream=Stream(Query.FRAUD_PATTERNS, running.every(Query.FRAUD_PATTERNS), output="update"),
    )
    assert query is not None
    return query


if __name__ == "__main__":
    main("fraud-patterns", {Query.FRAUD_PATTERNS: start})
