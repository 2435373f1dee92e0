"""Settings: read once, refused with words, and all of them in `.env.example`."""

from pathlib import Path

import pytest

from include.config import PROJECT_ROOT, Settings, load_settings
from include.errors import ConfigurationError
from include.local.env_example import EXAMPLE_FILE, text
from include.names import Table


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
