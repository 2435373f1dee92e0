"""The local Grafana: runs only where a ``grafana`` program is installed, with the provisioning of the repository."""

import shutil
from pathlib import Path
from typing import Final

import httpx

from include.config import PROJECT_ROOT, Settings
from include.errors import ConfigurationError
from include.local.airflow import ADMIN, Airflow
from include.local.program import Program
from include.names import Part

_PROGRAM: Final = "grafana"
_FOLDER: Final = PROJECT_ROOT / "docker" / "grafana"
# Where packages put what belongs to the program: Debian and Red Hat, Homebrew on Apple silicon and on Intel.
_HOMES: Final = ("/usr/share/grafana", "/opt/homebrew/share/grafana", "/usr/local/share/grafana")
_DEFAULTS: Final = Path("conf", "defaults.ini")
_ANSWER_SECONDS: Final = 5.0
# Grafana refuses a contact point without an address; one that says why it is not reached is better than no start.
NO_SLACK: Final = "http://slack-webhook-url-is-not-set.invalid/"
NO_MAIL: Final = "alert-email-to-is-not-set@localhost"


class Grafana:
    """Where it is installed, how it runs, whether it answers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._data = settings.platform_data_dir / "grafana"

    @property
    def program_file(self) -> Path | None:
        """The installed program; None where there is none."""
        found = shutil.which(_PROGRAM)
        return Path(found).resolve() if found else None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self._settings.platform_bind_host}:{self._settings.grafana_port}"

    def _home(self, program: Path) -> Path:
        given = self._settings.grafana_home
        homes = [given] if given else [program.parent.parent, *map(Path, _HOMES)]
        found = next((home for home in homes if (home / _DEFAULTS).is_file()), None)
        if found is None:
            looked = ", ".join(str(home) for home in homes)
            raise ConfigurationError(
                f"GRAFANA_HOME: {program} is installed, but {_DEFAULTS} is in none of {looked}; "
                "set it to the folder that holds Grafana's conf and public"
            )
        return found

    def environment(self) -> dict[str, str]:
        """Its settings, as Grafana reads them from variables."""
        settings = self._settings
        slack = settings.slack_webhook_url
        return {
            "GF_PATHS_DATA": str(self._data),
            "GF_PATHS_LOGS": str(settings.log_dir / "grafana"),
            "GF_PATHS_PLUGINS": str(self._data / "plugins"),
            "GF_PATHS_PROVISIONING": str(_FOLDER / "provisioning"),
            "GF_SERVER_HTTP_ADDR": settings.platform_bind_host,
            "GF_SERVER_HTTP_PORT": str(settings.grafana_port),
            "GF_SECURITY_ADMIN_USER": ADMIN,
            "GF_SECURITY_ADMIN_PASSWORD": Airflow(settings).password(),
            "GF_USERS_ALLOW_SIGN_UP": "false",
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
            "GF_PLUGINS_PREINSTALL_DISABLED": "true",
            "GF_DASHBOARDS_MIN_REFRESH_INTERVAL": "5s",
            "ELASTICSEARCH_URL": settings.search_url,
            "GRAFANA_DASHBOARDS": str(_FOLDER / "dashboards"),
            "SLACK_WEBHOOK_URL": slack.get_secret_value() if slack else NO_SLACK,
            "ALERT_EMAIL_TO": settings.alert_email_to or NO_MAIL,
            **self._mail(),
        }

    def _mail(self) -> dict[str, str]:
        settings = self._settings
        if settings.smtp_host is None:
            return {}
        password = settings.smtp_password
        return {
            "GF_SMTP_ENABLED": "true",
            "GF_SMTP_HOST": f"{settings.smtp_host}:{settings.smtp_port}",
            "GF_SMTP_USER": settings.smtp_user or "",
            "GF_SMTP_PASSWORD": password.get_secret_value() if password else "",
            "GF_SMTP_FROM_ADDRESS": settings.alert_email_from,
            "GF_SMTP_STARTTLS_POLICY": "MandatoryStartTLS" if settings.smtp_starttls else "OpportunisticStartTLS",
        }

    def program(self) -> Program:
        """Its process.

        Raises:
            ConfigurationError: If it is not installed, or the folder that belongs to it is not found.
        """
        file = self.program_file
        if file is None:
            raise ConfigurationError(
                f"no program {_PROGRAM!r} on the PATH; the Platform page in Airflow shows the same"
            )
        command = [str(file), "server", "--homepath", str(self._home(file))]
        return Program(Part.GRAFANA, command, self.environment())

    def problem(self) -> str | None:
        """Why it is not healthy; None when it answers and its database does."""
        address = f"{self.url}/api/health"
        try:
            answer = httpx.get(address, timeout=_ANSWER_SECONDS)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            return f"no answer at {address} ({type(error).__name__})"
        database = answer.json().get("database")
        return None if database == "ok" else f"its database is {database}"
