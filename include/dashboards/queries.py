"""Queries of the Grafana panels: sums and maxima over the additive documents behind the alias ``metrics``.

Only aggregations of both Elasticsearch distributions are used (``date_histogram``, ``terms``, ``sum``, ``max``). What
needs arithmetic, for example cents to whole money, is done by Grafana on the answer (see ``transforms``).
"""

from collections.abc import Sequence
from typing import Final

from grafana_foundation_sdk.builders import elasticsearch as es
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.elasticsearch import BucketAggregation, MetricAggregation, TermsOrder

from include.names import Alias

TIME_FIELD: Final = "window_start"
# The provisioned data source has the name of the alias that it reads.
SOURCE: Final = DataSourceRef(type_val="elasticsearch", uid=Alias.METRICS.value)

# Grafana orders by a metric only where the metric's id is a number.
_FIRST_METRIC: Final = 1
_TERMS_ID: Final = "101"
_HISTOGRAM_ID: Final = "102"


def _query(lucene: str, ref_id: str) -> es.Dataquery:
    return es.Dataquery().ref_id(ref_id).datasource(SOURCE).query(lucene).time_field(TIME_FIELD)


def _sums(fields: Sequence[str]) -> list[Builder[MetricAggregation]]:
    return [es.Sum().id(str(number)).field(field) for number, field in enumerate(fields, _FIRST_METRIC)]


def _terms(field: str, size: int, order_by: str = str(_FIRST_METRIC)) -> es.Terms:
    settings = es.ElasticsearchTermsSettings().order(TermsOrder.DESC).order_by(order_by).size(str(size))
    return es.Terms().id(_TERMS_ID).field(field).settings(settings.min_doc_count("1"))


def _histogram(interval: str) -> es.DateHistogram:
    # Empty windows count as zero: a shop without sales is news, not a gap.
    settings = es.ElasticsearchDateHistogramSettings().interval(interval).min_doc_count("0")
    return es.DateHistogram().id(_HISTOGRAM_ID).field(TIME_FIELD).settings(settings)


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
