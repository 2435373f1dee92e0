"""Settings of the platform, read once from the environment and ``.env``; every variable is in ``.env.example``."""

import os
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from pydantic import ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsConfigDict

from include.errors import ConfigurationError
from include.names import Table
from include.settings.alerts import AlertSettings
from include.settings.kafka import KafkaSettings
from include.settings.layers import LayerSettings
from include.settings.places import PROJECT_ROOT, PlaceSettings
from include.settings.search import SearchSettings
from include.settings.web import WebSettings

__all__ = ["PROJECT_ROOT", "Settings", "get_settings", "load_settings"]


_SECRETS_VARIABLE: Final = "PLATFORM_SECRETS_DIR"
_PAIRS: Final = (("kafka_certificate_file", "kafka_key_file"), ("tls_certificate_file", "tls_key_file"))
_PEM_FILES: Final = (*chain.from_iterable(_PAIRS), "kafka_ca_file", "elasticsearch_ca_file", "tls_ca_file")


# Pydantic takes the fields of the last class first.
class Settings(AlertSettings, WebSettings, LayerSettings, SearchSettings, KafkaSettings, PlaceSettings):
    """Typed and frozen settings. A field ``kafka_port`` is the variable ``KAFKA_PORT``."""

    model_config = SettingsConfigDict(
        env_file=PROJECT_ROOT / ".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    @field_validator("*")
    @classmethod
    def _absolute(cls, value: Any) -> Any:
        if not isinstance(value, Path):
            return value
        path = value.expanduser()
        return path if path.is_absolute() else PROJECT_ROOT / path

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kafka_security_protocol != "PLAINTEXT" and not self.kafka_bootstrap_servers:
            raise ValueError(
                f"KAFKA_SECURITY_PROTOCOL is {self.kafka_security_protocol}, and the local broker has PLAINTEXT only: "
                "set KAFKA_BOOTSTRAP_SERVERS to brokers of yours"
            )
        if self.kafka_security_protocol.startswith("SASL") and not (self.kafka_username and self.kafka_password):
            raise ValueError(
                f"KAFKA_SECURITY_PROTOCOL is {self.kafka_security_protocol}, which asks for a user: set KAFKA_USERNAME "
                "and KAFKA_PASSWORD"
            )
        for certificate, key in _PAIRS:
            if bool(getattr(self, certificate)) != bool(getattr(self, key)):
                raise ValueError(f"{certificate.upper()} and {key.upper()} belong together: set both or none")
        for name in _PEM_FILES:
            file = getattr(self, name)
            if file is not None and not os.access(file, os.R_OK):
                raise ValueError(f"{name.upper()}: {file} cannot be read; correct the path or the file's rights")
        return self

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's ``bootstrap.servers``."""
        return self.kafka_bootstrap_servers or f"{self.platform_bind_host}:{self.kafka_port}"

    @property
    def search_urls(self) -> list[str]:
        """Addresses of Elasticsearch's nodes: one that does not answer is passed over."""
        local = f"http://{self.platform_bind_host}:{self.elasticsearch_port}"
        return [url.rstrip("/") for url in (self.elasticsearch_url or local).split(",")]

    @property
    def search_url(self) -> str:
        """Address of Elasticsearch, for what takes only one; of several nodes the first."""
        return self.search_urls[0]

    @property
    def airflow_url(self) -> str:
        """Address of the Airflow UI."""
        return f"{self._web_scheme}://{self.platform_bind_host}:{self.airflow_port}"

    @property
    def api_url(self) -> str:
        """Address of the HTTP API."""
        return f"{self._web_scheme}://{self.platform_bind_host}:{self.api_port}"

    @property
    def _web_scheme(self) -> str:
        return "https" if self.tls_certificate_file else "http"

    @property
    def driver_host(self) -> str:
        """Where the drivers of the speed layer run: beside their supervisor."""
        address = self.supervisor_url.get_secret_value() if self.supervisor_url else ""
        return urlsplit(address).hostname or self.platform_bind_host

    @property
    def lake_root(self) -> str:
        """Root of the Delta tables."""
        return self.lake_uri or str(self.platform_data_dir / "lake")

    def table_path(self, table: Table) -> str:
        """Path of a Delta table, for example ``<lake>/silver/purchases``."""
        layer, name = table.value.split(".", 1)
        return f"{self.lake_root.rstrip('/')}/{layer}/{name}"

    def checkpoint_path(self, query: str) -> str:
        """Checkpoint folder of a streaming query."""
        return str(self.platform_data_dir / "checkpoints" / query)

    @property
    def heartbeat_dir(self) -> Path:
        """Folder where each streaming query keeps its latest progress as ``<query>.json``."""
        return self.platform_data_dir / "heartbeats"

    @property
    def log_dir(self) -> Path:
        """Folder of the parts' logs."""
        return self.platform_data_dir / "logs"


def _readable(error: ValidationError) -> str:
    return "\n".join(_line(item) for item in error.errors())


def _line(item: ErrorDetails) -> str:
    if not item["loc"]:
        # Of settings that do not fit together; the text names them.
        return item["msg"].removeprefix("Value error, ")
    return (
        f"{str(item['loc'][0]).upper()}: {item['msg']} (found {item['input']!r}, {type(item['input']).__name__}); "
        f"correct it in .env or in the environment"
    )


def load_settings() -> Settings:
    """Read the settings anew.

    Raises:
        ConfigurationError: If a variable has a value that cannot be used; names the variable and the mend.
    """
    secrets = os.environ.get(_SECRETS_VARIABLE) or None
    if secrets and not Path(secrets).is_dir():
        raise ConfigurationError(f"{_SECRETS_VARIABLE} is {secrets!r}, which is no folder: mount the secrets there")
    try:
        return Settings(_secrets_dir=secrets)
    except ValidationError as error:
        raise ConfigurationError(_readable(error)) from error


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read at the first call."""
    return load_settings()
