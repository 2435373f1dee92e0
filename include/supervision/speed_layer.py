"""Starting, stopping and looking at the speed layer: what the command line and the DAGs share."""

import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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
from include.supervision.priority import modest
from include.supervision.shares import ALL, PARTS, Share, queries_of, share_of, shares_of
from include.supervision.spark_submit import spark_environment, spark_submit_command

JOB: Final = PROJECT_ROOT / "spark_jobs" / "streaming" / "speed_layer.py"

# Queries wait for a processor most of the time: more tasks than cores keep a slow one from holding up the others. The
# instant fraud rules hold two of the urgent ones for good, one for each partition of their topic.
LOCAL_MASTER: Final = "local[4]"
# The setting with the port of each one's Spark UI.
UI_PORT: Final = {Share.URGENT: "spark_ui_port", Share.BACKGROUND: "spark_background_ui_port"}
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
        pids: Process id of the driver of each query that has a living one.
        started_at: When the local supervisor started each part that it runs, Unix seconds.
        wanted_at: When somebody last started it, Unix seconds; None when somebody stopped it since.
        heartbeats: The latest heartbeat of each query that ever ran.
    """

    pids: Mapping[Query, int]
    started_at: Mapping[Part, float]
    wanted_at: float | None
    heartbeats: Mapping[Query, Heartbeat]

    @property
    def supervised(self) -> frozenset[Part]:
        """Parts that the local supervisor runs."""
        return frozenset(self.started_at)

    @property
    def is_running(self) -> bool:
        """Whether any driver lives."""
        return bool(self.pids)

    @property
    def is_wanted(self) -> bool:
        """Whether it should run: only then a restart is a mend."""
        return self.wanted_at is not None


def ui_port(settings: Settings, share: Share) -> int:
    """Port of the Spark UI of a share's driver."""
    port: int = getattr(settings, UI_PORT[share])
    return port


def programs(
    settings: Settings,
    queries: Sequence[Query] = (),
    *,
    master: str = LOCAL_MASTER,
    conf: Mapping[str, str] = NO_CONF,
) -> dict[Part, Program]:
    """The speed layer's drivers, for the supervisor: one for each share of the queries.

    Args:
        settings: The platform's settings.
        queries: What to run; everything that is not switched off when empty.
        master: Spark master; Airflow takes it from its Spark connection.
        conf: Spark properties that win over ``live.conf``.
    """
    shares = shares_of(queries or queries_of(settings))
    return {PARTS[share]: _program(settings, share, chosen, master, conf) for share, chosen in shares.items()}


def _program(
    settings: Settings, share: Share, queries: Sequence[Query], master: str, conf: Mapping[str, str]
) -> Program:
    own = {
        "spark.ui.port": str(ui_port(settings, share)),
        "spark.driver.bindAddress": settings.platform_bind_host,
    }
    command = spark_submit_command(
        settings,
        JOB,
        "--queries",
        *(query.value for query in queries),
        profile="live",
        master=master,
        conf={**own, **conf},
    )
    first = () if share is Share.URGENT else modest(settings)
    return Program(
        PARTS[share],
        [*first, *_DEAF, *command],
        environment=spark_environment(settings),
        stop_seconds=_STOP_SECONDS,
    )


def _wish(settings: Settings) -> Path:
    return settings.heartbeat_dir / "wanted"


def _holders(settings: Settings) -> dict[Query, Holder]:
    holders = {query: Lease(lease_path(settings, query)).holder() for query in Query}
    return {query: holder for query, holder in holders.items() if holder is not None and holder.is_alive()}


def state(settings: Settings) -> SpeedLayerState:
    """Look at the drivers and at their queries' heartbeats."""
    known = Supervisor(settings).states()
    running = {part: known[part] for part in PARTS.values() if part in known and known[part].is_running}
    wish = _wish(settings)
    beats = {query: beat for query in Query if (beat := read_heartbeat(settings, query)) is not None}
    return SpeedLayerState(
        pids={query: holder.pid for query, holder in _holders(settings).items()},
        started_at={part: float(found.started_at) for part, found in running.items()},
        wanted_at=wish.stat().st_mtime if wish.exists() else None,
        heartbeats=beats,
    )


def start(
    settings: Settings,
    queries: Sequence[Query] = (),
    *,
    master: str = LOCAL_MASTER,
    conf: Mapping[str, str] = NO_CONF,
) -> bool:
    """Start the drivers under the supervisor, unless they live.

    A driver that lives is left alone, also when another configuration is asked for: stop it first.

    Returns:
        Whether one was started; False when all ran already.

    Raises:
        PartUnavailableError: If one ends at once.
    """
    settings.heartbeat_dir.mkdir(parents=True, exist_ok=True)
    _wish(settings).touch()
    now = state(settings)
    running = now.supervised | {PARTS[share_of(query)] for query in now.pids}
    wanted = programs(settings, queries, master=master, conf=conf)
    missing = [program for part, program in wanted.items() if part not in running]
    if not missing:
        return False
    supervisor = Supervisor(settings)
    supervisor.ensure_running()
    for program in missing:
        supervisor.define(program)
        supervisor.start(program.part)
    return True


def stop(settings: Settings) -> bool:
    """Ask the drivers to end after their micro-batches in flight, and wait until they are gone.

    Returns:
        Whether there was one to stop.

    Raises:
        PartUnavailableError: If one does not end; it is left running then.
    """
    _wish(settings).unlink(missing_ok=True)
    return _end(settings, ALL)


def _end(settings: Settings, shares: Collection[Share]) -> bool:
    before = state(settings)
    if before.supervised:
        parts = before.supervised & {PARTS[share] for share in shares}
        with ThreadPoolExecutor(len(PARTS)) as pool:
            list(pool.map(Supervisor(settings).stop, parts))
        return bool(parts)
    if not before.is_running:
        return False
    # Whoever runs elsewhere is asked by a file, which all drivers read.
    request_stop(settings)
    deadline = time.monotonic() + _STOP_SECONDS
    while holders := _holders(settings):
        if time.monotonic() > deadline:
            query, holder = next(iter(holders.items()))
            raise PartUnavailableError(
                PARTS[share_of(query)],
                f"process {holder.pid} on {holder.host} did not end within {_STOP_SECONDS} s",
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
    shares: Collection[Share] = ALL,
    *,
    master: str = LOCAL_MASTER,
    conf: Mapping[str, str] = NO_CONF,
) -> None:
    """Stop the drivers of some shares, where they run, and start from the checkpoints whatever does not run.

    Raises:
        PartUnavailableError: If one does not end, or does not start.
    """
    _end(settings, shares)
    start(settings, master=master, conf=conf)
