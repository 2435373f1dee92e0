"""Starting the local platform: what can start beside something else does, and each part is waited for."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import Final

from include.config import Settings
from include.errors import PartUnavailableError
from include.local import leftovers
from include.local.airflow import Airflow
from include.local.java import java_home
from include.local.ports import require_free
from include.local.services import AIRFLOW_PARTS, Service, services
from include.local.supervisor import Supervisor
from include.local.waiting import wait_healthy
from include.names import PLATFORM, Part

# Called with a part and what it is doing; None when it is healthy.
Report = Callable[[Part, str | None], None]

# Whose presence says that a folder is the platform's own, so that `reset` may delete what is in it.
DATA_MARKER: Final = f".{PLATFORM}"
_SERVERS: Final = (Part.KAFKA, Part.ELASTICSEARCH)
_GONE: Final = ("FATAL", "EXITED", "STOPPED", "UNKNOWN")
_ORPHAN_SECONDS: Final = 40
_GOES_ON: Final = "started; it is ready when the others leave it the processors"
# A part may fall over another that is not ready yet, but not again and again.
_PATIENT_WITH_PROCESSES: Final = 3


class Start:
    """One start of the platform, or of some of its parts; what runs already is left alone."""

    def __init__(self, settings: Settings, parts: Iterable[Part] | None, report: Report) -> None:
        known = services(settings)
        self._settings = settings
        self._services = [s for s in known.values() if parts is None or s.part in parts]
        self._report = report
        self._supervisor = Supervisor(settings)
        self._given_up = threading.Event()

    def run(self) -> None:
        """Bring every part up.

        Raises:
            PlatformError: What the first part that fails says; the others are left as they are.
        """
        java_home(self._settings)
        self._clear()
        self._settings.platform_data_dir.mkdir(parents=True, exist_ok=True)
        (self._settings.platform_data_dir / DATA_MARKER).touch()
        self._supervisor.ensure_running()
        with ThreadPoolExecutor(len(Part) + 1) as pool:
            airflow_ready = pool.submit(self._prepare_airflow)
            self._all([pool.submit(self._bring_up, service) for service in self._of(_SERVERS)])
            rest = [service for service in self._services if service.part not in (*_SERVERS, *AIRFLOW_PARTS)]
            started = [pool.submit(self._bring_up, service) for service in rest]
            self._all([airflow_ready])
            server = [pool.submit(self._bring_up, service) for service in self._of([Part.AIRFLOW_API])]
            # The others report to it: tasks that are due at once would fail before it answers.
            self._all(server)
            others = [part for part in AIRFLOW_PARTS if part is not Part.AIRFLOW_API]
            started += [pool.submit(self._bring_up, service) for service in self._of(others)]
            self._all(started)

    def _of(self, parts: Iterable[Part]) -> list[Service]:
        return [service for service in self._services if service.part in parts]

    def _clear(self) -> None:
        """End what a killed supervisor left behind, and see that the ports are free."""
        states = self._supervisor.states()
        if not states:
            leftovers.end(leftovers.find(self._settings), _ORPHAN_SECONDS)
        running = {part for part, state in states.items() if state.is_running}
        ports = {name: port for s in self._services if s.part not in running for name, port in s.ports.items()}
        require_free(self._settings.platform_bind_host, ports)

    def _all(self, steps: list[Future[None]]) -> None:
        done, _ = wait(steps, return_when=FIRST_EXCEPTION)
        for step in done:
            if step.exception() is not None:
                # The other threads wait for parts that nobody will use.
                self._given_up.set()
            step.result()

    def _prepare_airflow(self) -> None:
        if self._of(AIRFLOW_PARTS):
            self._report(Part.AIRFLOW_API, "preparing its database")
            Airflow(self._settings).prepare()

    def _bring_up(self, service: Service) -> None:
        part = service.part
        self._report(part, "preparing")
        service.prepare()
        self._report(part, "starting")
        if service.launch:
            service.launch()
        else:
            self._supervisor.define(service.program())
            self._supervisor.start(part)
        if not service.awaited:
            self._report(part, _GOES_ON)
            return
        seen: set[int] = set()
        wait_healthy(
            part,
            service.problem,
            seconds=service.patience,
            ended=lambda: self._end_of(part, seen),
            reports=lambda reason: self._report(part, reason),
        )
        self._furnish(part)
        self._report(part, None)

    def _furnish(self, part: Part) -> None:
        """Make what the others expect to find in a server."""
        if part is Part.KAFKA:
            from include.messaging.topics import create_topics

            create_topics(self._settings)
        elif part is Part.ELASTICSEARCH:
            from include.serving.client import connect
            from include.serving.indices import install

            with connect(self._settings, timeout_seconds=60) as client:
                install(client)

    def _end_of(self, part: Part, seen: set[int]) -> str | None:
        if self._given_up.is_set():
            return "the start was given up, because another part failed"
        state = self._supervisor.states().get(part)
        if state is None:
            raise PartUnavailableError("supervisor", "it ended while the platform started")
        if state.pid:
            seen.add(state.pid)
        if state.state not in _GONE and len(seen) <= _PATIENT_WITH_PROCESSES:
            return None
        ended = (
            f"its process has ended {len(seen) - 1} times" if state.pid else f"its process ended: {state.description}"
        )
        return f"{ended}; the end of its log:\n{self._supervisor.tail(part)}"
