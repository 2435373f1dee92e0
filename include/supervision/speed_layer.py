"""Starting, stopping and looking at the speed layer: what the command line and the DAGs share."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from include.config import PROJECT_ROOT, Settings
from include.errors import PartUnavailableError
from include.local.program import Program
from include.local.supervisor import Supervisor
from include.names import Part, Query
from include.supervision.heartbeat import Heartbeat, read_heartbeat
from include.supervision.lease import Holder, Lease, lease_path
from include.supervision.spark_submit import spark_environment, spark_submit_command

JOB: Final = PROJECT_ROOT / "spark_jobs" / "streaming" / "speed_layer.py"

# Queries wait for a processor most of the time: more tasks than cores keep a slow one from holding up the others. The
# instant fraud rules hold two of them for good, one for each partition of their topic.
LOCAL_MASTER: Final = "local[4]"
NO_CONF: Final[Mapping[str, str]] = {}
_STOP_SECONDS: Final = 60
_LOOK_SECONDS: Final = 0.2
# The supervisor signals the whole process group. The JVM would drop the micro-batches in flight at once, so it is
# started deaf to SIGTERM: the driver's Python hears it, ends the queries well, and then the JVM ends with it.
_DEAF: Final = ("/bin/sh", "-c", 'trap "" TERM; exec "$@"', "speed-layer")


@dataclass(frozen=True)
class SpeedLayerState:
    """What is known of the speed layer.

    Attributes:
        is_running: Whether a driver lives.
        pid: Process id of the driver, None when there is none.
        started_at: When it started (Unix seconds).
        is_supervised: Whether the local supervisor runs it.
        is_wanted: Whether somebody started it and nobody stopped it since: only then a restart is a mend.
        heartbeats: The latest heartbeat of each query that ever ran.
    """

    is_running: bool
    pid: int | None
    started_at: float | None
    is_supervised: bool
    is_wanted: bool
    heartbeats: Mapping[Query, Heartbeat]


def queries_of(settings: Settings) -> tuple[Query, ...]:
    """What runs when nothing is chosen: every query that is not switched off."""
    off = () if settings.search_user_events else (Query.LIVE_USER_EVENTS,)
    return tuple(query for query in Query if query not in off)


def program(
    settings: Settings,
    queries: Sequence[Query] = (),
    *,
    master: str = LOCAL_MASTER,
    conf: Mapping[str, str] = NO_CONF,
) -> Program:
    """The speed layer's driver, for the supervisor.

    Args:
        settings: The platform's settings.
        queries: What to run; everything that is not switched off when empty.
        master: Spark master; Airflow takes it from its Spark connection.
        conf: Spark properties that win over ``live.conf``.
    """
    chosen = ["--queries", *(query.value for query in queries)] if queries else []
    own = {"spark.ui.port": str(settings.spark_ui_port), "spark.driver.bindAddress": settings.platform_bind_host}
    command = spark_submit_command(settings, JOB, *chosen, profile="live", master=master, conf={**own, **conf})
    return Program(
        Part.SPEED_LAYER, [*_DEAF, *command], environment=spark_environment(settings), stop_seconds=_STOP_SECONDS
    )


def _wish(settings: Settings) -> Path:
    return settings.heartbeat_dir / "wanted"


def _holder(settings: Settings) -> Holder | None:
    holders = (Lease(lease_path(settings, query)).holder() for query in Query)
    return next((holder for holder in holders if holder is not None and holder.is_alive()), None)


def state(settings: Settings) -> SpeedLayerState:
    """Look at the driver and at its queries' heartbeats."""
    holder = _holder(settings)
    part = Supervisor(settings).states().get(Part.SPEED_LAYER)
    beats = {query: beat for query in Query if (beat := read_heartbeat(settings, query)) is not None}
    return SpeedLayerState(
        is_running=holder is not None,
        pid=holder.pid if holder else None,
        started_at=holder.started_at if holder else None,
        is_supervised=part is not None and part.is_running,
        is_wanted=_wish(settings).exists(),
        heartbeats=beats,
    )


def start(
    settings: Settings,
    queries: Sequence[Query] = (),
    *,
    master: str = LOCAL_MASTER,
    conf: Mapping[str, str] = NO_CONF,
) -> bool:
    """Start the driver under the supervisor, unless one lives.

    A driver that lives is left alone, also when another configuration is asked for: stop it first.

    Returns:
        Whether it was started; False when it ran already.

    Raises:
        PartUnavailableError: If it ends at once.
    """
    settings.heartbeat_dir.mkdir(parents=True, exist_ok=True)
    _wish(settings).touch()
    now = state(settings)
    if now.is_running or now.is_supervised:
        return False
    supervisor = Supervisor(settings)
    supervisor.ensure_running()
    supervisor.define(program(settings, queries, master=master, conf=conf))
    supervisor.start(Part.SPEED_LAYER)
    return True


def stop(settings: Settings) -> bool:
    """Ask the driver to end after its micro-batches in flight, and wait until it is gone.

    Returns:
        Whether there was one to stop.

    Raises:
        PartUnavailableError: If it does not end; it is left running then.
    """
    _wish(settings).unlink(missing_ok=True)
    before = state(settings)
    if before.is_supervised:
        Supervisor(settings).stop(Part.SPEED_LAYER)
        return True
    if not before.is_running:
        return False
    request_stop(settings)
    deadline = time.monotonic() + _STOP_SECONDS
    while (holder := _holder(settings)) is not None:
        if time.monotonic() > deadline:
            raise PartUnavailableError(
                Part.SPEED_LAYER, f"process {holder.pid} on {holder.host} did not end within {_STOP_SECONDS} s"
            )
        time.sleep(_LOOK_SECONDS)
    return True


def request_stop(settings: Settings) -> None:
    """Ask every driver that runs now to end, wherever it runs; one that starts later is not concerned."""
    settings.heartbeat_dir.mkdir(parents=True, exist_ok=True)
    stop_marker = settings.heartbeat_dir / "stop"
    stop_marker.write_text(f"asked at {time.time():.3f}\n", encoding="utf-8")


def restart(
    settings: Settings,
    queries: Sequence[Query] = (),
    *,
    master: str = LOCAL_MASTER,
    conf: Mapping[str, str] = NO_CONF,
) -> None:
    """Stop the driver, if it runs, and start it again from its checkpoints.

    Raises:
        PartUnavailableError: If it does not end, or does not start.
    """
    stop(settings)
    start(settings, queries, master=master, conf=conf)
