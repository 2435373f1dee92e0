"""Whether a query may go on from its checkpoint: Spark would take no notice, or fail in the first micro-batch."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pyspark.sql import DataFrame

from include.errors import ConfigurationError
from include.handover.segments import write_atomically
from include.supervision.beginning import FROZEN, WARM_UP, beginning_of, last_done, planned

_Writer = Callable[[DataFrame, int], None]

_FILE: Final = "state.json"
_NOTHING: Final = "nothing"
_REPLACED: Final = "org.apache.spark.sql.catalyst.expressions.RuntimeReplaceable"
_AGGREGATE: Final = "AggregateExpression"


def state_of(frame: DataFrame) -> dict[str, str]:
    """What a streaming query keeps in its state: column by column, its type or what makes it."""
    return dict(_kept(frame, frame._jdf.queryExecution().analyzed()))


def require_same_state(frame: DataFrame, checkpoint: Path, query: str) -> None:
    """Refuse a query that its checkpoint does not fit; note what it keeps where nothing is noted yet.

    Raises:
        ConfigurationError: Naming each difference with both values, and the way out.
    """
    state = state_of(frame)
    path = checkpoint / _FILE
    noted: Mapping[str, str] | None = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    differences = list(_differences(noted, state)) if noted is not None else []
    if state or noted:
        differences += _frozen_differences(frame, checkpoint)
    if differences:
        # In one line, as that is what health checks show.
        raise ConfigurationError(
            f"{query} cannot go on from its checkpoint: {'; '.join(differences)}. Take the change back, or begin anew "
            f"at the offsets that it has reached: python main.py speed-layer begin-anew {query} (for {checkpoint})"
        )
    if noted is None:
        write_atomically(path, json.dumps(state, indent=1))


def without_warm_up(write: _Writer, checkpoint: Path, warm_up: _Writer | None = None) -> _Writer:
    """What writes a query's micro-batches, but for the one that only fills the state of a query that began anew.

    Args:
        write: Takes the other micro-batches.
        checkpoint: The query's.
        warm_up: Takes that one; by default Spark computes it, and keeps its state.
    """
    if beginning_of(checkpoint) is None:
        return write

    def write_later(frame: DataFrame, batch_id: int) -> None:
        if batch_id == WARM_UP and warm_up:
            warm_up(frame, batch_id)
        elif batch_id == WARM_UP:
            # Spark computes, and keeps, only what somebody asks for.
            frame.write.format("noop").mode("overwrite").save()
        else:
            write(frame, batch_id)

    return write_later


def _differences(noted: Mapping[str, str], state: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*noted, *state}):
        before, now = noted.get(name, _NOTHING), state.get(name, _NOTHING)
        if before != now:
            yield f"state {name}: the checkpoint has {before}, the code has {now}"


def _frozen_differences(frame: DataFrame, checkpoint: Path) -> Iterator[str]:
    batch_id = last_done(checkpoint)
    if batch_id < 0:
        return
    frozen = planned(checkpoint, batch_id)["conf"]
    for name in FROZEN:
        before, now = frozen.get(name), frame.sparkSession.conf.get(name)
        if before is not None and before != now:
            yield f"{name}: the checkpoint has {before}, the configuration has {now}"


def _kept(frame: DataFrame, node: Any) -> Iterator[tuple[str, str]]:
    kind = node.getClass().getSimpleName()
    if kind.startswith("Deduplicate"):
        for key in _all(node.keys()):
            yield f"{key.name()} (deduplicated)", key.dataType().catalogString()
    elif kind == "Aggregate" and node.isStreaming():
        for column in _all(node.aggregateExpressions()):
            made = ", ".join(_buffer(frame, function) for function in _functions(column))
            yield column.name(), made or column.dataType().catalogString()
    for child in _all(node.children()):
        yield from _kept(frame, child)


def _functions(expression: Any) -> Iterator[Any]:
    if expression.getClass().getSimpleName() == _AGGREGATE:
        yield expression.aggregateFunction()
        return
    for child in _all(expression.children()):
        yield from _functions(child)


def _buffer(frame: DataFrame, function: Any) -> str:
    jvm = frame.sparkSession._jvm
    assert jvm is not None
    name, kind = function.prettyName(), function.dataType().catalogString()
    if jvm.java.lang.Class.forName(_REPLACED).isInstance(function):
        return f"{name} {kind}"
    fields = function.aggBufferSchema().size()
    return f"{name} {kind}" if fields == 1 else f"{name} {kind} of {fields} fields"


def _all(items: Any) -> Iterator[Any]:
    iterator = items.iterator()
    while iterator.hasNext():
        yield iterator.next()
