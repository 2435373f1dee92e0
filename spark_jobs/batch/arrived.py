"""The events that a run of silver found in bronze: which copies of them count, as far as its own rows tell."""

from dataclasses import dataclass
from datetime import date

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from include.names import Topic
from spark_jobs.batch.copies import with_rank
from spark_jobs.batch.families import columns_of


@dataclass(frozen=True)
class Counts:
    """Numbers of the valid rows of a run, of one topic and day."""

    first: int
    repeated: int
    reused: int


@dataclass(frozen=True)
class Arrived:
    """The valid events of a run.

    Attributes:
        everything: All of them.
        single: Those whose id occurs once.
        ranked: Those of the other ids, with their rank (``copies.with_rank``); None where there are none, as mostly.
        repeated: The other ids.
    """

    everything: DataFrame
    single: DataFrame
    ranked: DataFrame | None
    repeated: DataFrame

    @classmethod
    def of(cls, dated: DataFrame) -> "Arrived":
        """Tell events with ``event_date`` apart.

        Only ids are moved to find out, not whole events: moving and sorting those costs more than reading them.
        """
        ids = dated.groupBy("event_id").count().where("count > 1").select("event_id")
        # Few, if any: computed once.
        repeated = ids.persist(StorageLevel.DISK_ONLY)
        if repeated.isEmpty():
            return cls(dated, dated, None, repeated)
        single = dated.join(repeated, "event_id", "left_anti").select(*dated.columns)
        ranked = with_rank(dated.join(repeated, "event_id", "left_semi").select(*dated.columns))
        return cls(dated, single, ranked.persist(StorageLevel.DISK_ONLY), repeated)

    def release(self) -> None:
        """Forget what was kept to compute it once."""
        if self.ranked is not None:
            self.ranked.unpersist()
        self.repeated.unpersist()

    def first(self, topic: Topic) -> DataFrame:
        """The copies of a topic that count, with the columns of its silver table."""
        columns = columns_of(topic)
        of_topic = F.col("topic") == topic.value
        single = self.single.where(of_topic).select(*columns)
        if self.ranked is None:
            return single
        return single.unionByName(self.ranked.where(of_topic & (F.col("copy") == 1)).select(*columns))

    def further(self) -> DataFrame:
        """The copies that do not count."""
        return self.everything.limit(0) if self.ranked is None else self.ranked.where(F.col("copy") > 1)

    def counts(self) -> dict[tuple[str, str], Counts]:
        """How many rows there are of which kind, by topic and day (ISO)."""
        further = self._counts_of_ranked()
        counts = {}
        for row in self.everything.groupBy("topic", "event_date").count().collect():
            repeated, reused = further.get((row["topic"], row["event_date"]), (0, 0))
            counts[(row["topic"], row["event_date"].isoformat())] = Counts(row["count"] - repeated, repeated, reused)
        return counts

    def _counts_of_ranked(self) -> dict[tuple[str, date], tuple[int, int]]:
        if self.ranked is None:
            return {}
        is_first = F.col("copy") == 1
        found = self.ranked.groupBy("topic", "event_date").agg(
            F.count_if(~is_first).alias("repeated"), F.count_if(is_first & (F.col("use") > 1)).alias("reused")
        )
        return {(row["topic"], row["event_date"]): (row["repeated"], row["reused"]) for row in found.collect()}
