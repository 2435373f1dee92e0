"""The process supervisor: one ``supervisord`` per data folder runs every part and starts it again when it dies."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from supervisor.xmlrpc import Faults, SupervisorTransport
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from include.config import PROJECT_ROOT, Settings
from include.errors import PartUnavailableError
from include.local.program import Program
from include.local.supervisor_config import daemon_sections, program_section
from include.names import Part

# Linux allows 108 bytes for the path of a socket; macOS 104.
_SOCKET_DIGEST_LENGTH: Final = 12


@dataclass(frozen=True)
class PartState:
    """What the supervisor knows of a part.

    Attributes:
        state: RUNNING, STARTING, BACKOFF, STOPPED, EXITED, FATAL or UNKNOWN.
        pid: Process id, 0 when it does not run.
        started_at: Unix seconds of its last start, 0 when never.
        description: The supervisor's own words.
    """

    part: Part
    state: str
    pid: int
    started_at: int
    description: str

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self.state in ("RUNNING", "STARTING")


class Supervisor:
    """Client of the platform's supervisord, which it starts when asked to."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._home = settings.platform_data_dir / "supervisor"
        digest = hashlib.sha256(str(settings.platform_data_dir).encode()).hexdigest()[:_SOCKET_DIGEST_LENGTH]
        self._socket = Path(tempfile.gettempdir()) / f"rdp-{os.getuid()}-{digest}" / "supervisor.sock"

    def _call(self, method: str, *arguments: str) -> Any:
        if self._settings.supervisor_url:
            address = self._settings.supervisor_url.get_secret_value()
            with xmlrpc.client.ServerProxy(f"{address.rstrip('/')}/RPC2") as remote:
                return getattr(remote.supervisor, method)(*arguments)
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        try:
            proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
            return getattr(proxy.supervisor, method)(*arguments)
        finally:
            transport.close()

    def is_alive(self) -> bool:
        """Whether supervisord answers."""
        try:
            return str(self._call("getState")["statename"]) == "RUNNING"
        except (OSError, xmlrpc.client.Error):
            return False

    def ensure_running(self) -> None:
        """Start supervisord unless it runs.

        Raises:
            PartUnavailableError: If it does not come up.
        """
        if self.is_alive():
            return
        if self._settings.supervisor_url:
            raise PartUnavailableError("supervisor", "the one at SUPERVISOR_URL does not answer; start it there")
        (self._home / "programs").mkdir(parents=True, exist_ok=True)
        self._settings.log_dir.mkdir(parents=True, exist_ok=True)
        self._socket.parent.mkdir(mode=0o700, exist_ok=True)
        config = self._home / "supervisord.conf"
        config.write_text(daemon_sections(self._settings, self._home, self._socket), encoding="utf-8")
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=PROJECT_ROOT)
        if done.returncode != 0 or not self._wait_alive():
            raise PartUnavailableError("supervisor", f"did not start: {done.stdout}{done.stderr}")

    @retry(
        retry=retry_if_result(lambda alive: not alive),
        stop=stop_after_delay(20),
        wait=wait_fixed(0.1),
        retry_error_callback=lambda _: False,
    )
    def _wait_alive(self) -> bool:
        return self.is_alive()

    def define(self, program: Program) -> None:
        """Make a program known, or known anew when it changed; it is not started.

        A supervisor elsewhere has its programs in its own configuration, and keeps them.
        """
        if self._settings.supervisor_url:
            return
        text = program_section(program, self._settings)
        path = self._home / "programs" / f"{program.part.value}.conf"
        path.parent.mkdir(parents=True, exist_ok=True)
        with (self._home / "define.lock").open("w") as lock:
            # Of two definitions at once, each would find the other's as well and add it a second time.
            fcntl.flock(lock, fcntl.LOCK_EX)
            path.touch(mode=0o600)
            path.write_text(text, encoding="utf-8")
            self._adopt(program.part.value)

    def _adopt(self, name: str) -> None:
        added, changed, _ = self._call("reloadConfig")[0]
        if name in changed:
            self._call("stopProcessGroup", name)
            self._call("removeProcessGroup", name)
            added.append(name)
        if name in added:
            self._call("addProcessGroup", name)

    def start(self, part: Part) -> None:
        """Start a part unless it runs; returns when it lived for its ``start_seconds``.

        Raises:
            PartUnavailableError: If its process ends at once; carries the last lines of its log.
        """
        try:
            self._call("startProcess", part.value)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == Faults.ALREADY_STARTED:
                return
            raise PartUnavailableError(part, f"{fault.faultString}\n{self.tail(part)}") from fault

    def stop(self, part: Part) -> None:
        """Stop a part, if it runs, and wait for its end."""
        try:
            self._call("stopProcess", part.value)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode not in (Faults.NOT_RUNNING, Faults.BAD_NAME):
                raise PartUnavailableError(part, f"does not stop: {fault.faultString}") from fault

    def states(self) -> dict[Part, PartState]:
        """State of every part that is known; empty when supervisord does not run."""
        if not self.is_alive():
            return {}
        known = {part.value: part for part in Part}
        return {
            known[info["name"]]: PartState(
                known[info["name"]], info["statename"], info["pid"], info["start"], info["description"]
            )
            for info in self._call("getAllProcessInfo")
            if info["name"] in known
        }

    def log_file(self, part: Part) -> Path:
        """Where a part's output goes."""
        return self._settings.log_dir / f"{part.value}.log"

    def tail(self, part: Part, lines: int = 15) -> str:
        """The last lines of a part's log."""
        path = self.log_file(part)
        if not path.exists():
            return ""
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def shut_down(self) -> None:
        """Stop every part and supervisord itself, and wait for their end; one elsewhere is left alone."""
        if self._settings.supervisor_url:
            return
        if not self.is_alive():
            return
        self._call("stopAllProcesses")
        self._call("shutdown")
        if not self._wait_gone():
            raise PartUnavailableError("supervisor", f"does not end; see {self._settings.log_dir / 'supervisord.log'}")
        shutil.rmtree(self._socket.parent, ignore_errors=True)

    @retry(
        retry=retry_if_result(lambda gone: not gone),
        stop=stop_after_delay(90),
        wait=wait_fixed(0.2),
        retry_error_callback=lambda _: False,
    )
    def _wait_gone(self) -> bool:
        return not self.is_alive() and not (self._home / "supervisord.pid").exists()
