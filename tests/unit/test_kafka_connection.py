"""What each Kafka client is told of the way in."""

from pathlib import Path

import pytest

from include.config import Settings, load_settings
from include.errors import ConfigurationError
from include.messaging.connection import jvm, kafka_python, librdkafka

BROKERS = "broker-1:9093,broker-2:9093"


def settings(**changes: object) -> Settings:
    return Settings(_env_file=None, kafka_bootstrap_servers=BROKERS, **changes)


def test_without_settings_all_clients_connect_as_ever() -> None:
    assert librdkafka(settings()) == jvm(settings()) == {"bootstrap.servers": BROKERS}
    assert kafka_python(settings()) == {"bootstrap_servers": BROKERS, "security_protocol": "PLAINTEXT"}


def test_a_user_with_a_password_is_told_to_each_client_in_its_words(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.touch()
    login = settings(
        kafka_security_protocol="SASL_SSL",
        kafka_username="shop",
        kafka_password='a"b\\c',
        kafka_ca_file=authority,
    )
    assert librdkafka(login) == {
        "bootstrap.servers": BROKERS,
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "shop",
        "sasl.password": 'a"b\\c',
        "ssl.ca.location": str(authority),
    }
    assert kafka_python(login)["sasl_plain_password"] == 'a"b\\c'
    assert jvm(login)["sasl.jaas.config"] == (
        'org.apache.kafka.common.security.scram.ScramLoginModule required username="shop" password="a\\"b\\\\c";'
    )
    assert jvm(login)["ssl.truststore.type"] == "PEM"


def test_a_password_is_not_told_where_nobody_asks_for_it() -> None:
    told = settings(kafka_username="shop", kafka_password="secret")
    assert "secret" not in str([librdkafka(told), kafka_python(told), jvm(told)])


def test_a_key_that_is_no_text_is_refused_with_the_mend(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.der"
    certificate.touch()
    key.write_bytes(b"\x30\x82\xff")
    with pytest.raises(ConfigurationError, match=r"key\.der is not in PEM format"):
        jvm(settings(kafka_security_protocol="SSL", kafka_certificate_file=certificate, kafka_key_file=key))


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "set KAFKA_USERNAME and KAFKA_PASSWORD"),
        ({"KAFKA_CERTIFICATE_FILE": __file__}, "KAFKA_CERTIFICATE_FILE and KAFKA_KEY_FILE belong together"),
        ({"TLS_KEY_FILE": __file__}, "TLS_CERTIFICATE_FILE and TLS_KEY_FILE belong together"),
        ({"KAFKA_CA_FILE": "/nowhere/ca.pem"}, "KAFKA_CA_FILE: /nowhere/ca.pem cannot be read"),
        ({"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_BOOTSTRAP_SERVERS": ""}, "set KAFKA_BOOTSTRAP_SERVERS to brokers"),
        ({"KAFKA_SECURITY_PROTOCOL": "TLS"}, "KAFKA_SECURITY_PROTOCOL: Input should be 'PLAINTEXT', 'SSL'"),
    ],
)
def test_settings_that_do_not_fit_together_are_told(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], told: str
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", BROKERS)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=told):
        load_settings()
