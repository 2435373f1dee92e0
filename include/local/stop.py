"""Stopping the local platform: whoever writes first, whoever stores last."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from include.config import Settings
from include.errors import ConfigurationError
from include.local import leftovers
from include.local.elasticsearch import ElasticsearchNode
from include.local.services import AIRFLOW_PARTS
from include.local.start import DATA_MARKER
from include.local.supervisor import Supervisor
from include.names import Part
from include.supervision import speed_layer
from include.supervision.shares import PARTS

# Each step's parts stop together. Airflow goes before the streams, which its health check would start again.
_STEPS: Final = (
    (Part.DEMO_TRAFFIC, *AIRFLOW_PARTS),
    tuple(PARTS.values()),
    (Part.MONITORING, Part.ALERTING, Part.API, Part.GRAFANA),
    (Part.ELASTICSEARCH, Part.KAFKA),
)
_STRAGGLER_SECONDS: Final = 20


def stop(settings: Settings, report: Callable[[str], None]) -> bool:
    """Stop every part and the supervisor, and see that no process is left.

    Args:
        settings: Say which platform.
        report: Called with each step.

    Returns:
        Whether anything ran.
    """
    supervisor = Supervisor(settings)
    states = supervisor.states()
    running = {part for part, state in states.items() if state.is_running or state.state == "BACKOFF"}
    for step in _STEPS:
        parts = [part for part in step if part in running]
        if parts:
            report(f"stopping {', '.join(parts)}")
            with ThreadPoolExecutor(len(parts)) as pool:
                list(pool.map(lambda part: _stop_part(settings, supervisor, part), parts))
    supervisor.shut_down()
    stragglers = leftovers.find(settings)
    if stragglers:
        report(f"ending {len(stragglers)} processes that nobody supervises")
        leftovers.end(stragglers, _STRAGGLER_SECONDS)
    return bool(running or stragglers)


def _stop_part(settings: Settings, supervisor: Supervisor, part: Part) -> None:
    if part in PARTS.values():
        # Its own stop also notes that nobody should start it again.
        speed_layer.stop(settings)
    supervisor.stop(part)


def delete_data(settings: Settings) -> None:
    """Delete everything in the data folder, and Elasticsearch's data where they are elsewhere.

    Raises:
        ConfigurationError: If the folder does not look like the platform's own.
    """
    folder = settings.platform_data_dir
    ElasticsearchNode(settings).delete()
    if not folder.exists():
        return
    if not (folder / DATA_MARKER).exists():
        raise ConfigurationError(
            f"PLATFORM_DATA_DIR is {folder}, which no start has made ({DATA_MARKER} is missing): delete it by hand"
        )
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
