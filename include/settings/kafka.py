"""Kafka: the broker, and how clients prove who they are."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from include.settings.ports import Port


class KafkaSettings(BaseSettings):
    """Topics, the local broker, or the address of another and the way in."""

    kafka_port: Port = Field(9092, description="Port of the local broker.")
    kafka_controller_port: Port = Field(9093, description="Port of the local KRaft controller.")
    kafka_metrics_port: Port = Field(9404, description="Port where the local broker shows its figures to Prometheus.")
    kafka_bootstrap_servers: str | None = Field(None, description="Brokers to use. Default: the local broker.")
    kafka_partitions: int = Field(2, ge=1, le=1000, description="Partitions of each topic, when it is created.")
    kafka_replication: int = Field(1, ge=1, le=10, description="Replicas of each topic, when it is created.")
    kafka_heap: str = Field("512m", pattern=r"^\d+[mg]$", description="Heap of the local broker.")

    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How brokers of yours are reached: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="How a user logs in at them: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."
    )
    kafka_username: str | None = Field(None, description="User at the brokers, with SASL.")
    kafka_password: SecretStr | None = Field(None, description="Its password.")
    kafka_ca_file: Path | None = Field(
        None, description="PEM file of the authority that signed the brokers' certificates. Default: the system's."
    )
    kafka_certificate_file: Path | None = Field(
        None, description="PEM file of the platform's own certificate, where brokers ask for one."
    )
    kafka_key_file: Path | None = Field(None, description="PEM file (PKCS 8) of its key, without a password.")
