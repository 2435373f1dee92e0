"""Arithmetic that Grafana does on the answers of Elasticsearch."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.models.dashboard import DataTransformerConfig


def _operand(value: str | int) -> dict[str, object]:
    if isinstance(value, int):
        return {"fixed": str(value)}
    return {"matcher": {"id": "byName", "options": value}}


def divide(left: str, right: str | int, alias: str) -> DataTransformerConfig:
    """Add the column ``alias``: one column divided by another or by a number."""
    binary = {"left": _operand(left), "operator": "/", "right": _operand(right)}
    return DataTransformerConfig("calculateField", options={"mode": "binary", "alias": alias, "binary": binary})


def divide_series(right: int) -> DataTransformerConfig:
    """Divide the values of every series by a number; time and labels stay."""
    left = {"matcher": {"id": "byType", "options": "number"}}
    binary = {"left": left, "operator": "/", "right": {"fixed": str(right)}}
    return DataTransformerConfig("calculateField", options={"mode": "binary", "replaceFields": True, "binary": binary})


def drop(columns: Sequence[str], rename: Mapping[str, str] | None = None) -> DataTransformerConfig:
    """Leave columns out and rename others."""
    options = {
        "excludeByName": dict.fromkeys(columns, True),
        "indexByName": {},
        "renameByName": dict(rename or {}),
    }
    return DataTransformerConfig("organize", options=options)
