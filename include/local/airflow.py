"""The local Airflow: four processes on SQLite, small enough to share a machine with everything else."""

import hashlib
import json
import os
import secrets
import subprocess
import sys
from base64 import urlsafe_b64encode
from importlib.metadata import version
from pathlib import Path
from typing import Final

import httpx

from include.config import PROJECT_ROOT, Settings
from include.errors import PartUnavailableError
from include.local import airflow_settings
from include.local.program import Program
from include.names import Part
from include.supervision.spark_submit import spark_environment
from include.trust import trust

ADMIN: Final = "admin"
DATABASE_VARIABLE: Final = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"

# The scheduler runs tasks itself and everything reads logs from the same disk: no log servers.
_COMMANDS: Final = {
    Part.AIRFLOW_API: ["api-server"],
    Part.AIRFLOW_SCHEDULER: ["scheduler", "--skip-serve-logs"],
    Part.AIRFLOW_DAG_PROCESSOR: ["dag-processor"],
    Part.AIRFLOW_TRIGGERER: ["triggerer", "--skip-serve-logs"],
}
# What /api/v2/monitor/health calls them.
_HEALTH_NAMES: Final = {
    Part.AIRFLOW_API: "metadatabase",
    Part.AIRFLOW_SCHEDULER: "scheduler",
    Part.AIRFLOW_DAG_PROCESSOR: "dag_processor",
    Part.AIRFLOW_TRIGGERER: "triggerer",
}


class Airflow:
    """Configuration, database, log-in, processes and health."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._home = settings.platform_data_dir / "airflow"

    @property
    def database(self) -> Path:
        """Airflow's own, once it is prepared."""
        return self._home / "airflow.db"

    @property
    def password_file(self) -> Path:
        """Where the password of the user admin is kept, readable by its owner."""
        return self._home / "passwords.json"

    def environment(self) -> dict[str, str]:
        """Variables under which any ``airflow`` command meets this Airflow; `prepare` must have run once."""
        settings, host = self._settings, self._settings.platform_bind_host
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        return {
            **spark_environment(settings),
            "PATH": programs,
            "AIRFLOW_HOME": str(self._home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT_ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT_ROOT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{settings.airflow_url}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN}:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.password_file),
            DATABASE_VARIABLE: f"sqlite:///{self.database}",
            "AIRFLOW__API__HOST": host,
            "AIRFLOW__API__PORT": str(settings.airflow_port),
            "AIRFLOW__API__BASE_URL": settings.airflow_url,
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
            "AIRFLOW__DAG_PROCESSOR__PRINT_STATS_INTERVAL": "0",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "2",
            "AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC": "10",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(settings.log_dir / "airflow"),
            **self._tls(),
            **self._keys(),
        }

    def _tls(self) -> dict[str, str]:
        settings = self._settings
        files = {
            "AIRFLOW__API__SSL_CERT": settings.tls_certificate_file,
            "AIRFLOW__API__SSL_KEY": settings.tls_key_file,
            # Its tasks, too, ask the API server.
            "AIRFLOW__API__SSL_CA_FILE": settings.tls_ca_file,
        }
        return {name: str(file) for name, file in files.items() if file}

    def _keys(self) -> dict[str, str]:
        # Made once: sessions and encrypted connections outlive a restart.
        path = self._home / "keys.json"
        if not path.exists():
            keys = {
                "AIRFLOW__CORE__FERNET_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
                "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(32),
                "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
            }
            _write_private(path, json.dumps(keys))
        return dict(json.loads(path.read_text(encoding="utf-8")))

    def password(self) -> str:
        """Password of the user admin: from the settings, else generated once."""
        wanted = self._settings.airflow_admin_password
        if wanted is None and self.password_file.exists():
            return str(json.loads(self.password_file.read_text(encoding="utf-8"))[ADMIN])
        password = wanted.get_secret_value() if wanted else secrets.token_urlsafe(9)
        _write_private(self.password_file, json.dumps({ADMIN: password}))
        return password

    def prepare(self) -> None:
        """Make or migrate the database, the log-in, connections, pools and variables, where something has changed.

        Raises:
            PartUnavailableError: If one of the steps fails; carries its output.
        """
        self.password()
        stamp = self._home / "prepared"
        wanted = self._prepared_from()
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return
        self._run([sys.executable, "-m", "airflow", "db", "migrate"])
        self._run([sys.executable, "-m", "include.local.airflow_settings"])
        stamp.write_text(wanted, encoding="utf-8")

    def _prepared_from(self) -> str:
        decided = repr(sorted(airflow_settings.overrides(self._settings).items()))
        content = airflow_settings.SETTINGS_FILE.read_text(encoding="utf-8") + decided
        return f"{version('apache-airflow')} {hashlib.sha256(content.encode()).hexdigest()}"

    def _run(self, command: list[str]) -> None:
        environment = {**os.environ, **self.environment()}
        done = subprocess.run(
            command, env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False, timeout=300
        )
        if done.returncode != 0:
            raise PartUnavailableError("airflow", f"{' '.join(command[1:])} failed: {done.stdout}{done.stderr}"[-3000:])

    def program(self, part: Part) -> Program:
        """One of the four processes."""
        airflow = Path(sys.executable).with_name("airflow")
        return Program(part, [str(airflow), *_COMMANDS[part]], environment=self.environment(), stop_seconds=40)

    def problem(self, part: Part) -> str | None:
        """Why one of the four is not healthy; None when its heartbeat is fresh."""
        url = f"{self._settings.airflow_url}/api/v2/monitor/health"
        try:
            answer = httpx.get(url, timeout=10, verify=trust(self._settings.tls_ca_file))
            answer.raise_for_status()
        except httpx.HTTPError as error:
            return f"no answer at {url} ({type(error).__name__})"
        status = answer.json()[_HEALTH_NAMES[part]]["status"]
        return None if status == "healthy" else f"its heartbeat is {status or 'missing'}"


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".new")
    scratch.touch(mode=0o600)
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)
