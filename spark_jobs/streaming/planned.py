"""A transform of micro-batches that Spark plans once, instead of anew for each: that took longer than doing it."""

from collections.abc import Callable
from typing import Any

from pyspark.sql import DataFrame

from include.serving.bulk import Document


class Planned:
    """A transform of one micro-batch's rows after the other's, which all have the same columns.

    What Spark decides when it plans stays: the transform must not ask for the current time. A thread at a time.
    """

    def __init__(self, transform: Callable[[DataFrame], DataFrame]) -> None:
        self._transform = transform
        self._planned: Any = None

    def documents(self, rows: DataFrame) -> list[Document]:
        """What the transform makes of a micro-batch: ``action`` and ``source`` of documents."""
        # Not splitlines(): a text may hold what Unicode takes for the end of a line.
        lines = self._plan(rows).lines(rows._jdf).split("\n")[:-1]
        return [Document(action, source) for action, source in zip(lines[::2], lines[1::2], strict=True)]

    def _plan(self, rows: DataFrame) -> Any:
        if self._planned is None:
            jvm = rows.sparkSession._jvm
            assert jvm is not None
            place = DataFrame(jvm.realtimedataplatform.Planned.input(rows._jdf), rows.sparkSession)
            self._planned = jvm.realtimedataplatform.Planned(self._transform(place)._jdf)
        return self._planned
