"""What answers by HTTP."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from include.settings.ports import Port


class WebSettings(BaseSettings):
    """Airflow, Grafana, the HTTP API, the collector and the figures for Prometheus."""

    tls_certificate_file: Path | None = Field(
        None,
        description="PEM file of the certificate, with its chain, with which Airflow, the HTTP API and the collector "
        "answer by HTTPS. Default: they answer by HTTP.",
    )
    tls_key_file: Path | None = Field(None, description="PEM file of its key, without a password.")
    tls_ca_file: Path | None = Field(
        None, description="PEM file of the authority that signed it, for what asks them. Default: the known ones."
    )

    # Airflow
    airflow_port: Port = Field(8081, description="Port of the Airflow UI and API (8080 is the Spark UI's).")
    airflow_admin_password: SecretStr | None = Field(
        None, description="Password of the user admin. Default: generated once, printed by ./run.sh start."
    )

    # Grafana
    grafana_port: Port = Field(3000, description="Port of Grafana, where it runs.")
    grafana_home: Path | None = Field(
        None,
        description="Folder with Grafana's conf and public, where a program grafana is installed. "
        "Default: found beside the program.",
    )

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

    # Monitoring
    prometheus_port: Port = Field(9464, description="Port where the monitoring shows its figures to Prometheus.")
