"""Queries of the Grafana panels over what the aliases hold.

Only aggregations of both Elasticsearch distributions are used (``date_histogram``, ``terms``, ``sum``, ``max``,
``min``, ``avg``, and counting documents). What needs arithmetic, for example cents to whole money, is done by Grafana
on the answer (see ``transforms``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from grafana_foundation_sdk.builders import elasticsearch as es
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.elasticsearch import BucketAggregation, MetricAggregation, TermsOrder

from include.names import Alias


@dataclass(frozen=True)
class Source:
    """A provisioned data source: it has the name of the alias that it reads.

    Attributes:
        alias: The alias.
        time_field: By which a range of time is chosen.
    """

    alias: Alias
    time_field: str

    @property
    def ref(self) -> DataSourceRef:
        """How a panel names it."""
        return DataSourceRef(type_val="elasticsearch", uid=self.alias.value)


METRICS: Final = Source(Alias.METRICS, "window_start")
EVENTS: Final = Source(Alias.EVENTS, "event_time")
FRAUD: Final = Source(Alias.FRAUD_ALERTS, "event_time")
STOCK: Final = Source(Alias.INVENTORY, "event_time")
HEALTH: Final = Source(Alias.PIPELINE_HEALTH, "time")
ALERTS: Final = Source(Alias.ALERTS, "first_at")

# Grafana orders by a metric only where the metric's id is a number.
_FIRST_METRIC: Final = 1
_TERMS_ID: Final = "101"
_HISTOGRAM_ID: Final = "102"

Kind = Literal["avg", "count", "max", "min", "sum"]


def _query(lucene: str, ref_id: str, source: Source = METRICS) -> es.Dataquery:
    return es.Dataquery().ref_id(ref_id).datasource(source.ref).query(lucene).time_field(source.time_field)


def _sums(fields: Sequence[str]) -> list[Builder[MetricAggregation]]:
    return [es.Sum().id(str(number)).field(field) for number, field in enumerate(fields, _FIRST_METRIC)]


def _terms(field: str, size: int, order_by: str = str(_FIRST_METRIC), order: TermsOrder | None = None) -> es.Terms:
    settings = es.ElasticsearchTermsSettings().order(order or TermsOrder.DESC).order_by(order_by).size(str(size))
    return es.Terms().id(_TERMS_ID).field(field).settings(settings.min_doc_count("1"))


def _histogram(interval: str, source: Source = METRICS, empty: str = "0") -> es.DateHistogram:
    # Empty windows count as zero: a shop without sales is news, not a gap.
    settings = es.ElasticsearchDateHistogramSettings().interval(interval).min_doc_count(empty)
    return es.DateHistogram().id(_HISTOGRAM_ID).field(source.time_field).settings(settings)


def _metric(kind: Kind, field: str) -> Builder[MetricAggregation]:
    if kind == "count":
        return es.Count().id(str(_FIRST_METRIC))
    makers: dict[str, Callable[[], es.Average | es.Max | es.Min | es.Sum]] = {
        "avg": es.Average,
        "max": es.Max,
        "min": es.Min,
        "sum": es.Sum,
    }
    return makers[kind]().id(str(_FIRST_METRIC)).field(field)


def over_time(
    source: Source, kind: Kind, field: str, lucene: str, *, by: str | None = None, interval: str = "1m"
) -> es.Dataquery:
    """A level or a number in each interval, one series per value of ``by``; intervals without any are left out."""
    buckets: list[Builder[BucketAggregation]] = [_histogram(interval, source, "0" if kind == "count" else "1")]
    if by:
        buckets.insert(0, _terms(by, 30, "_term"))
    return _query(lucene, "A", source).metrics([_metric(kind, field)]).bucket_aggs(buckets)


def by_term(
    source: Source, kind: Kind, field: str, lucene: str, *, by: str, size: int = 20, rising: bool = False
) -> es.Dataquery:
    """A level or a number over the whole range, one row per value of ``by``, largest first, or smallest."""
    terms = _terms(by, size, "_count" if kind == "count" else str(_FIRST_METRIC), TermsOrder.ASC if rising else None)
    return _query(lucene, "A", source).metrics([_metric(kind, field)]).bucket_aggs([terms])


def sum_over_time(
    field: str, lucene: str, *, by: str | None = None, size: int = 20, interval: str = "1m", ref_id: str = "A"
) -> es.Dataquery:
    """Sum of a field in each interval, one series per value of ``by``."""
    buckets: list[Builder[BucketAggregation]] = [_histogram(interval)]
    if by:
        buckets.insert(0, _terms(by, size))
    return _query(lucene, ref_id).metrics(_sums([field])).bucket_aggs(buckets)


def sum_by_term(fields: Sequence[str], lucene: str, *, by: str, size: int = 20) -> es.Dataquery:
    """Sums of fields over the whole range, one row per value of ``by``, largest first field first."""
    return _query(lucene, "A").metrics(_sums(fields)).bucket_aggs([_terms(by, size)])


def newest_by_term(field: str, lucene: str, *, by: str) -> es.Dataquery:
    """Latest time in a field, one row per value of ``by``."""
    newest = es.Max().id(str(_FIRST_METRIC)).field(field)
    return _query(lucene, "A").metrics([newest]).bucket_aggs([_terms(by, 20, "_term")])


def column(field: str, fields: Sequence[str]) -> str:
    """Name that Grafana gives to the column of a sum; it adds the field's name only where there are several sums."""
    return f"Sum {field}" if len(fields) > 1 else "Sum"
