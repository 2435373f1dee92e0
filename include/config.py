"""Settings of the platform, read once from the environment and ``.env``; every variable is in ``.env.example``."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from include.errors import ConfigurationError
from include.names import PLATFORM, Table

PROJECT_ROOT: Final = Path(__file__).resolve().parent.parent

Port = Annotated[int, Field(ge=1, le=65535)]


def _default_cache_dir() -> Path:
    return Path("/var/cache" if os.geteuid() == 0 else "~/.cache") / PLATFORM


class Settings(BaseSettings):
    """Typed and frozen settings. A field ``kafka_port`` is the variable ``KAFKA_PORT``."""

    model_config = SettingsConfigDict(
        env_file=PROJECT_ROOT / ".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    # Where things are
    platform_data_dir: Path = Field(PROJECT_ROOT / "data", description="Data, logs and state of the local platform.")
    platform_cache_dir: Path = Field(
        default_factory=_default_cache_dir,
        description="Downloaded jars and servers, shared by checkouts. Default: ~/.cache/realtime-data-platform "
        "(as root /var/cache/realtime-data-platform, since Elasticsearch runs as another user then).",
    )
    platform_bind_host: str = Field("127.0.0.1", description="Address that every server listens on.")
    lake_uri: str | None = Field(
        None, description="Root of the Delta tables: a folder or an s3a:// address. Default: lake/ in the data folder."
    )

    java_home: Path | None = Field(None, description="Java 17 or newer. Default: the java on the PATH.")

    # Kafka
    kafka_port: Port = Field(9092, description="Port of the local broker.")
    kafka_controller_port: Port = Field(9093, description="Port of the local KRaft controller.")
    kafka_bootstrap_servers: str | None = Field(None, description="Brokers to use. Default: the local broker.")
    kafka_partitions: int = Field(2, ge=1, le=1000, description="Partitions of each topic, when it is created.")
    kafka_replication: int = Field(1, ge=1, le=10, description="Replicas of each topic, when it is created.")
    kafka_heap: str = Field("512m", pattern=r"^\d+[mg]$", description="Heap of the local broker.")

    # Elasticsearch
    elasticsearch_port: Port = Field(9200, description="HTTP port of the local Elasticsearch.")
    elasticsearch_transport_port: Port = Field(9300, description="Transport port of the local Elasticsearch.")
    elasticsearch_url: str | None = Field(None, description="Elasticsearch to use. Default: the local one.")
    elasticsearch_heap: str = Field("1g", pattern=r"^\d+[mg]$", description="Heap of the local Elasticsearch.")
    elasticsearch_api_key: SecretStr | None = Field(None, description="API key, where Elasticsearch asks for one.")
    index_keep_hours: int = Field(
        24, ge=1, le=8760, description="Hours that an index stays after another took its place, for the way back."
    )
    health_keep_days: int = Field(14, ge=1, le=3650, description="Days that observations of the platform are kept.")

    # Spark
    spark_ui_port: Port = Field(8080, description="Port of the Spark UI of the speed layer's urgent driver.")
    spark_background_ui_port: Port = Field(8082, description="Port of the Spark UI of its background driver.")
    spark_driver_memory: str = Field("1g", pattern=r"^\d+[mg]$", description="Heap of each driver of the speed layer.")
    spark_batch_memory: str = Field("1536m", pattern=r"^\d+[mg]$", description="Heap of a batch job's driver.")

    supervisor_url: SecretStr | None = Field(
        None, description="Supervisor of the speed layer's driver, where it runs elsewhere, as in containers."
    )

    # Speed layer
    live_trigger_ms: int = Field(500, ge=50, le=60_000, description="Pause between starts of live micro-batches.")
    archive_trigger_seconds: int = Field(10, ge=1, le=600, description="Pause between starts of archive batches.")
    dedup_window_seconds: int = Field(
        600, ge=10, le=86_400, description="How long the speed layer remembers event ids (arrival time)."
    )
    search_user_events: bool = Field(
        False, description="Whether what users do in the shop can be searched too: most events, most documents."
    )

    # Tables
    bronze_keep_days: int = Field(
        0, ge=0, le=36_600, description="Days that bronze keeps; 0 keeps all, as a full rebuild of silver needs."
    )
    personal_keep_days: int = Field(
        0, ge=0, le=36_600, description="Days after which rows no longer say who it was; 0 for never (see SECURITY.md)."
    )
    delta_history_hours: int = Field(
        168, ge=1, le=8760, description="How far time travel reaches back: older files are deleted by compaction."
    )

    erasure_grace_minutes: int = Field(
        15, ge=0, le=10_080, description="How long files with an erased person stay, so that what reads them ends."
    )

    # Handover from speed to batch
    handover_seal_seconds: int = Field(30, ge=0, le=3600, description="How long a handover waits for a sealed segment.")
    handover_archive_seconds: int = Field(
        300, ge=0, le=7200, description="How long a handover waits for bronze to hold what the segments hold."
    )
    handover_keep_seconds: int = Field(
        600, ge=0, le=604_800, description="How long replaced indices are kept, so that searches in flight finish."
    )

    # Freshness
    freshness_live_seconds: int = Field(60, ge=1, le=86_400, description="How far streams may be behind Kafka.")
    freshness_batch_seconds: int = Field(7200, ge=60, le=604_800, description="How far gold may be behind bronze.")
    freshness_target: float = Field(
        0.999, ge=0.5, lt=1, description="Share of a month in which each must be in time; the rest is its error budget."
    )

    fraud_rules_file: Path = Field(
        PROJECT_ROOT / "include" / "fraud" / "rules.yaml", description="Fraud rules and their thresholds."
    )
    stock_rules_file: Path = Field(
        PROJECT_ROOT / "include" / "stock" / "rules.yaml",
        description="Which warehouse serves which country, and from when on stock is low.",
    )

    # Monitoring
    prometheus_port: Port = Field(9464, description="Port where the monitoring shows its figures to Prometheus.")

    # Airflow
    airflow_port: Port = Field(8081, description="Port of the Airflow UI and API (8080 is the Spark UI's).")
    airflow_admin_password: SecretStr | None = Field(
        None, description="Password of the user admin. Default: generated once, printed by ./run.sh start."
    )

    # Grafana
    grafana_port: Port = Field(3000, description="Port of Grafana, where it runs.")

    # HTTP API
    api_port: Port = Field(8000, description="Port of the HTTP API.")
    api_tokens: SecretStr | None = Field(
        None,
        description="Tokens of the HTTP API, separated by commas; required when PLATFORM_BIND_HOST is not loopback. "
        "TOKEN reads everything, TOKEN:figures+stock only that; the scopes are figures, search, fraud, stock, "
        "recommendations and platform.",
    )
    api_requests_per_minute: int = Field(
        6000, ge=0, description="Requests that one token, or without tokens one address, may send; 0 for any number."
    )

    # Collector: takes events of shops by HTTP
    collector_port: Port = Field(8010, description="Port of the collector (main.py collect).")
    collector_write_keys: SecretStr | None = Field(
        None, description="Write keys, separated by commas; required when PLATFORM_BIND_HOST is not loopback."
    )

    # Alerts: what is not set is off
    slack_webhook_url: SecretStr | None = Field(None, description="Slack incoming webhook for alerts.")
    slack_bot_token: SecretStr | None = Field(
        None, description="Slack bot token (chat:write) for alerts: a thread for each incident, several channels."
    )
    slack_channel: str | None = Field(None, description="Channel of the bot, where routing names none.")
    slack_api_url: str = Field("https://slack.com/api/", description="Slack's API; another one only for tests.")
    smtp_host: str | None = Field(None, description="Mail server for alerts.")
    smtp_port: Port = Field(25, description="Port of the mail server.")
    smtp_user: str | None = Field(None, description="User at the mail server.")
    smtp_password: SecretStr | None = Field(None, description="Password at the mail server.")
    smtp_starttls: bool = Field(False, description="Use STARTTLS with the mail server.")
    alert_email_from: str = Field("alerts@localhost", description="Sender of alert mails.")
    alert_email_to: str | None = Field(None, description="Receivers of alert mails, separated by commas.")
    alert_routing_file: Path = Field(
        PROJECT_ROOT / "include" / "alerting" / "routing.yaml", description="Which alert goes where, and when."
    )

    batch_deadline_minutes: int = Field(
        135, ge=1, le=100_000, description="Minutes after which a missing recompute or handover is an alert."
    )

    # Demo traffic
    demo_rate: int = Field(50, ge=0, le=50_000, description="Events per second of the demo shop; 0 is none.")

    @field_validator(
        "platform_data_dir", "platform_cache_dir", "alert_routing_file", "fraud_rules_file", "stock_rules_file"
    )
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        path = path.expanduser()
        return path if path.is_absolute() else PROJECT_ROOT / path

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's ``bootstrap.servers``."""
        return self.kafka_bootstrap_servers or f"{self.platform_bind_host}:{self.kafka_port}"

    @property
    def search_url(self) -> str:
        """Address of Elasticsearch."""
        return self.elasticsearch_url or f"http://{self.platform_bind_host}:{self.elasticsearch_port}"

    @property
    def airflow_url(self) -> str:
        """Address of the Airflow UI."""
        return f"http://{self.platform_bind_host}:{self.airflow_port}"

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
    lines = [
        f"{str(item['loc'][0]).upper()}: {item['msg']} (found {item['input']!r}, {type(item['input']).__name__}); "
        f"correct it in .env or in the environment"
        for item in error.errors()
    ]
    return "\n".join(lines)


def load_settings() -> Settings:
    """Read the settings anew.

    Raises:
        ConfigurationError: If a variable has a value that cannot be used; names the variable and the mend.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise ConfigurationError(_readable(error)) from error


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read at the first call."""
    return load_settings()
