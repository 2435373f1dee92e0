"""How each of the three Kafka clients is told where the brokers are, and how to prove who it is."""

from pathlib import Path
from typing import Any, Final

from include.config import Settings
from include.errors import ConfigurationError

_LOGIN_MODULES: Final = {
    "PLAIN": "org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-256": "org.apache.kafka.common.security.scram.ScramLoginModule",
    "SCRAM-SHA-512": "org.apache.kafka.common.security.scram.ScramLoginModule",
}


def librdkafka(settings: Settings) -> dict[str, Any]:
    """Properties for ``confluent_kafka``."""
    return _present(
        {
            "bootstrap.servers": settings.bootstrap_servers,
            **_security(settings),
            "sasl.mechanism": settings.kafka_sasl_mechanism if _has_login(settings) else None,
            "sasl.username": settings.kafka_username if _has_login(settings) else None,
            "sasl.password": _password(settings),
            "ssl.ca.location": _path(settings.kafka_ca_file),
            "ssl.certificate.location": _path(settings.kafka_certificate_file),
            "ssl.key.location": _path(settings.kafka_key_file),
        }
    )


def kafka_python(settings: Settings) -> dict[str, Any]:
    """Arguments for the clients of the ``kafka`` package."""
    return _present(
        {
            "bootstrap_servers": settings.bootstrap_servers,
            "security_protocol": settings.kafka_security_protocol,
            "sasl_mechanism": settings.kafka_sasl_mechanism if _has_login(settings) else None,
            "sasl_plain_username": settings.kafka_username if _has_login(settings) else None,
            "sasl_plain_password": _password(settings),
            "ssl_cafile": _path(settings.kafka_ca_file),
            "ssl_certfile": _path(settings.kafka_certificate_file),
            "ssl_keyfile": _path(settings.kafka_key_file),
        }
    )


def jvm(settings: Settings) -> dict[str, str]:
    """Properties for Kafka's own client, which Spark uses.

    Raises:
        ConfigurationError: If a file with a certificate or key is no text.
    """
    ca_file = settings.kafka_ca_file
    return _present(
        {
            "bootstrap.servers": settings.bootstrap_servers,
            **_security(settings),
            "sasl.mechanism": settings.kafka_sasl_mechanism if _has_login(settings) else None,
            "sasl.jaas.config": _jaas(settings) if _has_login(settings) else None,
            "ssl.truststore.type": "PEM" if ca_file else None,
            "ssl.truststore.location": _path(ca_file),
            "ssl.keystore.type": "PEM" if settings.kafka_certificate_file else None,
            # From a file it wants both in one.
            "ssl.keystore.certificate.chain": _text(settings.kafka_certificate_file),
            "ssl.keystore.key": _text(settings.kafka_key_file),
        }
    )


def _security(settings: Settings) -> dict[str, str | None]:
    # The default of every client.
    protocol = settings.kafka_security_protocol
    return {"security.protocol": None if protocol == "PLAINTEXT" else protocol}


def _has_login(settings: Settings) -> bool:
    return settings.kafka_security_protocol.startswith("SASL")


def _password(settings: Settings) -> str | None:
    password = settings.kafka_password
    return password.get_secret_value() if password and _has_login(settings) else None


def _jaas(settings: Settings) -> str:
    module = _LOGIN_MODULES[settings.kafka_sasl_mechanism]
    return f"{module} required username={_quoted(settings.kafka_username)} password={_quoted(_password(settings))};"


def _quoted(text: str | None) -> str:
    escaped = (text or "").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _path(file: Path | None) -> str | None:
    return str(file) if file else None


def _text(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="ascii")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is not in PEM format, which is text: convert it with openssl") from error


def _present(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
