"""Several streams in one application: the urgent ones, those of the background, some, or all.

    spark-submit --properties-file spark_jobs/conf/live.conf spark_jobs/streaming/speed_layer.py
        [--once] [--share urgent | --queries live_metrics bronze_archive]

The live numbers have a scheduler pool of their own, so that a large archive batch does not hold them up. It
ends with 0 when it was asked to (SIGTERM, or the file ``heartbeats/stop``) and otherwise with an error; started again,
it goes on from the checkpoints.
"""

from typing import Final

from include.names import Query
from include.supervision.shares import queries_of
from spark_jobs.streaming import (
    bronze_archive,
    dead_letters,
    fraud_instant,
    fraud_patterns,
    live_activity,
    live_events,
    live_inventory,
    live_metrics,
)
from spark_jobs.streaming.driver import Start, main

STREAMS: Final[dict[Query, Start]] = {
    Query.LIVE_METRICS: live_metrics.start,
    Query.LIVE_ACTIVITY: live_activity.start,
    Query.BRONZE_ARCHIVE: bronze_archive.start,
    Query.DEAD_LETTERS: dead_letters.start,
    Query.FRAUD_INSTANT: fraud_instant.start,
    Query.FRAUD_PATTERNS: fraud_patterns.start,
    Query.LIVE_EVENTS: live_events.start,
    Query.LIVE_USER_EVENTS: live_events.start_user_events,
    Query.LIVE_INVENTORY: live_inventory.start,
}


if __name__ == "__main__":
    main("speed-layer", STREAMS, usual=queries_of)
