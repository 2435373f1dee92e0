"""The platform's own servers by HTTPS: what they are told, and what asks them."""

from pathlib import Path

import pytest
import trustme

from include.config import Settings
from include.errors import ConfigurationError
from include.local.airflow import Airflow
from include.local.services import services
from include.names import Part
from include.trust import trust


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """With a certificate of an authority of its own."""
    authority, chain, key = (tmp_path / name for name in ("ca.pem", "chain.pem", "key.pem"))
    made = trustme.CA()
    made.cert_pem.write_to_path(str(authority))
    issued = made.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(str(chain))
    issued.private_key_pem.write_to_path(str(key))
    return Settings(
        _env_file=None,
        platform_data_dir=tmp_path,
        tls_certificate_file=chain,
        tls_key_file=key,
        tls_ca_file=authority,
    )


def test_airflow_is_told_its_certificate_and_whom_its_tasks_believe(settings: Settings) -> None:
    environment = Airflow(settings).environment()

    assert settings.airflow_url == "https://127.0.0.1:8081"
    assert environment["AIRFLOW__API__BASE_URL"] == settings.airflow_url
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == f"{settings.airflow_url}/execution/"
    assert environment["AIRFLOW__API__SSL_CERT"] == str(settings.tls_certificate_file)
    assert environment["AIRFLOW__API__SSL_KEY"] == str(settings.tls_key_file)
    assert environment["AIRFLOW__API__SSL_CA_FILE"] == str(settings.tls_ca_file)


def test_without_a_certificate_airflow_answers_by_http(tmp_path: Path) -> None:
    plain = Airflow(Settings(_env_file=None, platform_data_dir=tmp_path)).environment()

    assert plain["AIRFLOW__API__BASE_URL"].startswith("http://")
    assert [name for name in plain if "SSL" in name] == []


def test_addresses_of_the_parts_say_https(settings: Settings) -> None:
    known = services(settings)

    assert known[Part.API].address == "https://127.0.0.1:8000/docs"
    assert known[Part.AIRFLOW_API].address == "https://127.0.0.1:8081"


def test_a_file_without_a_certificate_is_refused_with_the_mend(tmp_path: Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("nothing")

    assert trust(None) is True
    with pytest.raises(ConfigurationError, match=r"ca\.pem holds no certificate in PEM format .* convert it"):
        trust(empty)
