"""Everything that the page shows, as one answer: asked at most every second or two, however many look at it."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from elasticsearch import ApiError, Elasticsearch

from include.config import Settings
from include.errors import PartUnavailableError
from include.names import Alias, Part
from include.page import searches
from include.page.cache import Cached
from include.page.figures import figures, percentiles, points
from include.page.ranges import RANGES, Range
from include.page.streams import segments, streams
from include.serving.answers import require_whole
from include.serving.client import connect, reachable
from include.serving.freshness import iso
from include.serving.kpis import kpi_searches, kpis_from, range_of

_TIMEOUT_SECONDS: Final = 2.5
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
_OUTAGE_SECONDS: Final = 2.0


class Live:
    """Answers of the page; used by many threads of the API server.

    Args:
        settings: Where everything is.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Elasticsearch | None = None
        self._figures: Cached[dict[str, Any]] = Cached(1.0)
        self._charts = {name: Cached[dict[str, Any]](chosen.cache_seconds) for name, chosen in RANGES.items()}
        self._past: Cached[dict[str, Any]] = Cached(30.0)
        self._slow: Cached[dict[str, Any]] = Cached(5.0)
        self._outage: tuple[float, str] | None = None

    def answer(self, chosen: Range, now: datetime) -> dict[str, Any]:
        """All figures; where the search store is away, what is known without it, and why.

        Args:
            chosen: The range of the charts.
            now: The moment of asking.
        """
        try:
            data, problem = self._data(chosen, now), None
        except PartUnavailableError as error:
            data, problem = {}, str(error)
        observed = data.pop("observed", {})
        return {
            "now": iso(now),
            "range": chosen.name,
            "bucket_seconds": chosen.bucket_seconds,
            "problem": problem,
            **data,
            "streams": streams(self._settings, observed, now),
            "segments": segments(self._settings),
        }

    def _data(self, chosen: Range, now: datetime) -> dict[str, Any]:
        # While it is away, one request in two seconds waits for it, not each of them.
        if self._outage is not None and time.monotonic() - self._outage[0] < _OUTAGE_SECONDS:
            raise PartUnavailableError(Part.ELASTICSEARCH, self._outage[1])
        try:
            with reachable(self._settings):
                return {
                    **self._figures.get(str(chosen.kpi_minutes), lambda: self._now(chosen, now)),
                    **self._slow.get("layers", self._layers),
                    "series": self._charts[chosen.name].get("series", lambda: self._chart(chosen, now)),
                    **self._past.get(chosen.name, lambda: self._before(chosen, now)),
                }
        except PartUnavailableError as error:
            self._outage = (time.monotonic(), error.reason)
            raise

    def _ask(self, *asked: tuple[Alias, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        if self._client is None:
            self._client = connect(self._settings, timeout_seconds=_TIMEOUT_SECONDS)
        lines = [part for alias, body in asked for part in (searches.header(alias), body)]
        try:
            answers: list[Mapping[str, Any]] = self._client.msearch(searches=lines)["responses"]
        except ApiError as error:
            raise PartUnavailableError(Part.ELASTICSEARCH, f"refused the page's searches: {error}") from error
        for answer in answers:
            require_whole(answer)
        return answers

    def _kpis(self, minutes: int, now: datetime, *others: tuple[Alias, Mapping[str, Any]]) -> tuple[Any, Sequence[Any]]:
        since, until = range_of(now, minutes)
        bodies = kpi_searches(since, until)[1::2]
        answers = self._ask(*((Alias.METRICS, body) for body in bodies), *others)
        return kpis_from(answers[: len(bodies)], since, until), answers[len(bodies) :]

    def _now(self, chosen: Range, now: datetime) -> dict[str, Any]:
        kpis, (latency, health, fraud, stock) = self._kpis(
            chosen.kpi_minutes,
            now,
            (Alias.METRICS, searches.latency(now)),
            (Alias.PIPELINE_HEALTH, searches.stream_health(now)),
            (Alias.FRAUD_ALERTS, searches.fraud()),
            (Alias.INVENTORY, searches.stock()),
        )
        return {
            "kpi_minutes": chosen.kpi_minutes,
            "kpis": figures(kpis),
            "freshness": kpis.freshness.as_json(now),
            "latency": percentiles(latency),
            "observed": {hit["_source"]["subject"]: hit["_source"] for hit in health["hits"]["hits"]},
            "fraud": _rows(fraud),
            "stock": _rows(stock),
        }

    def _chart(self, chosen: Range, now: datetime) -> dict[str, Any]:
        since, until = chosen.bounds(now)
        return points(self._ask((Alias.METRICS, searches.series(since, until, chosen.bucket_seconds)))[0])

    def _before(self, chosen: Range, now: datetime) -> dict[str, Any]:
        since, until = chosen.bounds(now)
        body = searches.series(since - _DAY, until - _DAY, chosen.bucket_seconds)
        yesterday, (series,) = self._kpis(chosen.kpi_minutes, now - _DAY, (Alias.METRICS, body))
        last_week, _ = self._kpis(chosen.kpi_minutes, now - _WEEK)
        return {
            "yesterday": figures(yesterday) if yesterday.counts["events"] else None,
            "last_week": figures(last_week) if last_week.counts["events"] else None,
            "series_yesterday": points(series, _DAY.total_seconds()) if chosen.span <= _DAY else None,
        }

    def _layers(self) -> dict[str, Any]:
        coverage, handovers = self._ask(
            (Alias.METRICS, searches.coverage()), (Alias.PIPELINE_HEALTH, searches.handovers())
        )
        buckets = coverage.get("aggregations", {}).get("layers", {}).get("buckets", [])
        return {
            "layers": [
                {
                    "layer": layer["key"],
                    "documents": layer["doc_count"],
                    "first": layer["first"]["value"],
                    "last": layer["last"]["value"],
                }
                for layer in buckets
            ],
            "handovers": [hit["_source"] for hit in handovers["hits"]["hits"]],
        }


def _rows(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {"total": answer["hits"]["total"]["value"], "rows": [hit["_source"] for hit in answer["hits"]["hits"]]}
