"""How fresh and how complete an answer is, and which layers it comes from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from include.names import Alias, Query

Layer = Literal["speed", "batch"]
LAYERS: Final[tuple[Layer, ...]] = ("speed", "batch")


@dataclass(frozen=True)
class Freshness:
    """What is known of the data behind an answer.

    Attributes:
        newest_event: Time of the newest event that is counted.
        complete_up_to: What reached Kafka until then is counted.
        processed_at: When the newest numbers were computed.
        layers: The layers behind the alias, each with the time of its newest numbers.
    """

    newest_event: datetime | None
    complete_up_to: datetime | None
    processed_at: datetime | None
    layers: Mapping[str, datetime]

    def age_seconds(self, now: datetime) -> float | None:
        """Seconds since the newest numbers were computed; None when there are none."""
        return None if self.processed_at is None else max(0.0, (now - self.processed_at).total_seconds())

    def as_json(self, now: datetime) -> dict[str, Any]:
        """For answers to programs."""
        age = self.age_seconds(now)
        return {
            "newest_event": iso(self.newest_event),
            "complete_up_to": iso(self.complete_up_to),
            "processed_at": iso(self.processed_at),
            "age_seconds": None if age is None else round(age, 3),
            "layers": {name: iso(moment) for name, moment in self.layers.items()},
        }


def iso(moment: datetime | None) -> str | None:
    """UTC with milliseconds and Z, as events carry it."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def freshness_searches() -> list[dict[str, Any]]:
    """The newest additive document of each layer, and the newest state of the live query without lag; for ``msearch``.

    Sorted instead of aggregated, so that it costs the same however much history there is.
    """
    stamps = ("processed_at", "kafka_time_max", "event_time_max")
    searches: list[dict[str, Any]] = []
    for layer in LAYERS:
        searches += [{}, _newest("processed_at", stamps, {"layer": layer, "dimension": "all"})]
    caught_up: dict[str, str | int] = {"kind": "stream", "subject": Query.LIVE_METRICS.value, "metrics.lag": 0}
    return [*searches, {"index": Alias.PIPELINE_HEALTH.value}, _newest("time", ("time",), caught_up)]


def _newest(by: str, stamps: Sequence[str], terms: Mapping[str, str | int]) -> dict[str, Any]:
    return {
        "size": 1,
        "track_total_hits": False,
        "query": {"bool": {"filter": [{"term": {name: value}} for name, value in terms.items()]}},
        "sort": [{by: {"order": "desc", "unmapped_type": "date"}}],
        "_source": False,
        "fields": [{"field": name, "format": "strict_date_time"} for name in stamps],
    }


def freshness_from(answers: Sequence[Mapping[str, Any]]) -> Freshness:
    """The answers of ``freshness_searches``, put together."""
    newest = {layer: _stamps(answer) for layer, answer in zip(LAYERS, answers, strict=False)}
    without_lag = _stamps(answers[-1]).get("time")
    return Freshness(
        newest_event=_latest(found.get("event_time_max") for found in newest.values()),
        # An idle shop sends nothing: then everything until the last look at the broker is counted.
        complete_up_to=_latest([without_lag, *(found.get("kafka_time_max") for found in newest.values())]),
        processed_at=_latest(found.get("processed_at") for found in newest.values()),
        layers={layer: moment for layer, found in newest.items() if (moment := found.get("processed_at"))},
    )


def _stamps(answer: Mapping[str, Any]) -> dict[str, datetime]:
    return {
        name: datetime.fromisoformat(values[0])
        for hit in answer["hits"]["hits"]
        for name, values in hit.get("fields", {}).items()
    }


def _latest(moments: Iterable[datetime | None]) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)
