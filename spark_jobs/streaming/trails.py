"""What customers and devices did within a window of event time, remembered over micro-batches.

Why it is not a windowed aggregation of Spark's: docs/decisions/009-fraud-windows-end-with-each-event.md
"""

from pathlib import Path
from typing import Final

from pyspark.sql import DataFrame, SparkSession

from include.config import Settings
from include.fraud.rules import PatternRules
from include.names import Query

TRAILS_FOLDER: Final = "trails"


class Trails:
    """Remembers sightings of customers and devices, in the query's checkpoint and in memory.

    A micro-batch that is repeated after a crash finds the same again. A thread at a time.

    Attributes:
        late: How many events of the latest micro-batch happened too long before those of earlier ones.
        found: How many windows the latest micro-batch gave.
    """

    def __init__(self, spark: SparkSession, settings: Settings, rules: PatternRules) -> None:
        jvm = spark._jvm
        assert jvm is not None
        folder = Path(settings.checkpoint_path(Query.FRAUD_PATTERNS)) / TRAILS_FOLDER
        self._spark = spark
        self._trails = jvm.realtimedataplatform.Trails(str(folder), rules.window_minutes * 60, rules.late_minutes * 60)
        self.late = 0
        self.found = 0

    def windows(self, observed: DataFrame, batch_id: int) -> DataFrame:
        """The windows that end with an event of a micro-batch and hold another one.

        Args:
            observed: What ``transforms.fraud_patterns.observations`` gives.
            batch_id: The micro-batch's number; the one before it must be known.

        Returns:
            ``subject_kind`` (user or device), ``subject``, ``window`` with its figures, and the observed ``event``.
        """
        found = self._trails.windows(observed._jdf, batch_id)
        self.late, self.found = self._trails.late(), self._trails.found()
        return DataFrame(found, self._spark)
