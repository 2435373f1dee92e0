"""Settings: read once, refused with words, and all of them in `.env.example`."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from include.config import PROJECT_ROOT, Settings, load_settings
from include.errors import ConfigurationError
from include.local.env_example import EXAMPLE_FILE, text
from include.names import Table
from include.supervision.spark_submit import settings_environment


def test_the_example_file_is_what_the_settings_say() -> None:
    assert EXAMPLE_FILE.read_text(encoding="utf-8") == text(), "run: python -m include.local.env_example"


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_example_file_taken_as_it_is_changes_nothing(tmp_path: Path) -> None:
    uncommented = [line.removeprefix("#") for line in text().splitlines() if line.startswith("#") and "# " not in line]
    (tmp_path / ".env").write_text("\n".join(uncommented), encoding="utf-8")
    assert len(uncommented) == len(Settings.model_fields)
    assert Settings(_env_file=tmp_path / ".env").model_dump() == Settings(_env_file=None).model_dump()


def test_a_bad_value_is_named_with_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_PORT", "ninety")
    with pytest.raises(ConfigurationError, match=r"KAFKA_PORT: .*'ninety'.*correct it in \.env"):
        load_settings()


def test_a_relative_data_folder_lies_in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORM_DATA_DIR", "elsewhere")
    assert load_settings().platform_data_dir == PROJECT_ROOT / "elsewhere"


def test_addresses_follow_host_and_ports() -> None:
    settings = Settings(_env_file=None, platform_bind_host="127.0.0.2", kafka_port=1, elasticsearch_port=2)
    assert (settings.bootstrap_servers, settings.search_url) == ("127.0.0.2:1", "http://127.0.0.2:2")


def test_a_table_lies_in_the_folder_of_its_layer() -> None:
    settings = Settings(_env_file=None, lake_uri="s3a://shop/lake/")
    assert settings.table_path(Table.SILVER_PURCHASES) == "s3a://shop/lake/silver/purchases"


def test_secrets_come_from_the_files_of_a_folder_and_variables_win(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "smtp_password").write_text("of the file\n", encoding="utf-8")
    (tmp_path / "api_tokens").write_text("of the file", encoding="utf-8")
    monkeypatch.setenv("PLATFORM_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("API_TOKENS", "of the variable")
    settings = load_settings()
    assert (settings.smtp_password, settings.api_tokens) == (SecretStr("of the file"), SecretStr("of the variable"))
    assert settings_environment(settings)["PLATFORM_SECRETS_DIR"] == str(tmp_path)
    assert "SMTP_PASSWORD" not in settings_environment(settings)


def test_a_folder_of_secrets_that_is_not_mounted_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLATFORM_SECRETS_DIR", "/run/no-secrets")
    with pytest.raises(ConfigurationError, match=r"PLATFORM_SECRETS_DIR is '/run/no-secrets', which is no folder"):
        load_settings()


@pytest.mark.parametrize("address", ["localhost:9200", "http://a:9200, http://b:9200", "http://a:9200,"])
def test_an_address_of_elasticsearch_that_is_none_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", address)
    with pytest.raises(ConfigurationError, match="ELASTICSEARCH_URL"):
        load_settings()


def test_several_nodes_of_elasticsearch_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICSEARCH_URL", "http://a:9200,http://b:9200/")
    assert load_settings().search_urls == ["http://a:9200", "http://b:9200"]
    assert load_settings().search_url == "http://a:9200"
