"""From rows to documents in Elasticsearch: Spark builds the text, the driver sends it, refusals are dead letters."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from include.config import Settings
from include.names import Topic
from include.serving.bulk import BulkResult, BulkWriter, Document, Refusal
from spark_jobs.io import write

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stamps:
    """Times of a micro-batch's events, from the first to the last."""

    event_time_max: datetime
    kafka_time_min: datetime
    kafka_time_max: datetime


def as_text(action: Column, *fields: Column) -> list[Column]:
    """The two columns of a document: what to do with it, and its fields, both as JSON."""
    return [F.to_json(action).alias("action"), F.to_json(F.struct(*fields)).alias("source")]


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds")


def collect(documents: DataFrame) -> list[Document]:
    """Bring the documents of a micro-batch to the driver."""
    return [Document(row[0], row[1]) for row in documents.collect()]


def stamped(documents: Sequence[Document], stamps: Stamps | None, processed_at: datetime | None) -> list[Document]:
    """Add the stamps to documents that are about to be sent; ``processed_at`` is None for those that tell it."""
    times = {"processed_at": processed_at} if processed_at else {}
    times |= {"indexed_at": datetime.now(UTC)} | (vars(stamps) if stamps else {})
    tail = json.dumps({name: _iso(time) for name, time in times.items()})[1:]
    return [Document(action, f"{source[:-1]},{tail}") for action, source in documents]


def send(
    spark: SparkSession, settings: Settings, writer: BulkWriter, index: str, documents: Sequence[Document]
) -> BulkResult:
    """Write documents; those that Elasticsearch refuses for themselves go to the topic of the dead letters."""
    result = writer.send(index, documents)
    if result.refused:
        logger.error("index=%s refused=%s first=%r", index, len(result.refused), result.refused[0].reason)
        bury(spark, settings, index, result.refused)
    return result


def bury(spark: SparkSession, settings: Settings, index: str, refused: Sequence[Refusal]) -> None:
    """Send documents that no index takes to the topic of the dead letters."""
    now = _iso(datetime.now(UTC))

    def letter(refusal: Refusal) -> Mapping[str, Any]:
        return {
            "stage": "elasticsearch",
            "reason": "document_refused",
            "field": index,
            "found": refusal.reason,
            "value": refusal.document.source,
            "action": refusal.document.action,
            "rejected_at": now,
        }

    rows = [(f"{index}-{refusal.document.action}", json.dumps(letter(refusal))) for refusal in refused]
    write(spark.createDataFrame(rows, "key string, value string"), Topic.DEAD_LETTER, settings)
