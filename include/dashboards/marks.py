"""Marks on every time line: what happened to the platform meanwhile, so that a bend in a curve has a name."""

from typing import Final

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import AnnotationQuery

from include.dashboards.queries import ALERTS, HEALTH, Source


class _ElasticsearchMarks(AnnotationQuery):
    """The general model lacks the fields that Grafana's data source for Elasticsearch reads."""

    def __init__(self, name: str, color: str, source: Source, lucene: str, text_field: str, tags_field: str) -> None:
        super().__init__(name=name, datasource=source.ref, icon_color=color)
        self._fields: dict[str, object] = {
            "target": {"refId": "annotation_query", "query": lucene},
            "timeField": source.time_field,
            "textField": text_field,
            "tagsField": tags_field,
        }

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), **self._fields}


class Marks(Builder[AnnotationQuery]):
    """Builds one kind of marks."""

    def __init__(self, name: str, color: str, source: Source, lucene: str, text_field: str, tags_field: str) -> None:
        self._made = _ElasticsearchMarks(name, color, source, lucene, text_field, tags_field)

    def build(self) -> AnnotationQuery:
        """The marks as Grafana reads them."""
        return self._made


ALL: Final = (
    Marks("Handovers", "green", HEALTH, "kind:handover", "subject", "status"),
    Marks("Orders to the streams", "blue", HEALTH, "kind:airflow_run AND subject:speed_layer", "subject", "status"),
    Marks("Incidents", "red", ALERTS, "severity:critical", "subject", "state"),
)
