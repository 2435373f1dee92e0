"""Spark's view of the contracts: the conformed event as SQL."""

from typing import Final

from include.contracts.columns import Column, Leaf, conformed_columns, spark_type

__all__ = ["RECORD_COLUMNS", "Column", "Leaf", "conformed_columns", "spark_type"]

RECORD_COLUMNS: Final = ("topic", "partition", "offset", "kafka_time")
