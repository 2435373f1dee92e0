"""Whether and how an installed Grafana is started; the program itself is not part of the tests."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from include.config import Settings
from include.errors import ConfigurationError
from include.local.grafana import Grafana
from include.local.services import services
from include.names import Part


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, platform_data_dir=tmp_path / "data")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as Grafana's archive unpacks it."""
    home = tmp_path / "grafana-12"
    for file in (home / "bin" / "grafana", home / "conf" / "defaults.ini"):
        file.parent.mkdir(parents=True)
        file.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(home / "bin"))
    return home


def test_without_a_program_there_is_no_such_part(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert Part.GRAFANA not in services(settings)
    with pytest.raises(ConfigurationError, match="Platform page"):
        Grafana(settings).program()


def test_an_installed_program_is_a_part_with_a_port(settings: Settings, installed: Path) -> None:
    part = services(settings)[Part.GRAFANA]
    assert part.ports == {"GRAFANA_PORT": 3000}
    assert part.program().command == [str(installed / "bin" / "grafana"), "server", "--homepath", str(installed)]


def test_its_home_is_found_by_its_setting_or_asked_for(settings: Settings, installed: Path) -> None:
    elsewhere = settings.model_copy(update={"grafana_home": installed})
    assert Grafana(elsewhere).program().command[-1] == str(installed)
    nowhere = settings.model_copy(update={"grafana_home": installed / "bin"})
    with pytest.raises(ConfigurationError, match=r"GRAFANA_HOME: .* conf/defaults\.ini is in none of"):
        Grafana(nowhere).program()


def test_it_writes_only_below_the_data_folder_and_listens_where_told(settings: Settings) -> None:
    environment = Grafana(settings.model_copy(update={"grafana_port": 3456})).environment()
    for name in ("GF_PATHS_DATA", "GF_PATHS_LOGS", "GF_PATHS_PLUGINS"):
        assert Path(environment[name]).is_relative_to(settings.platform_data_dir)
    assert (environment["GF_SERVER_HTTP_ADDR"], environment["GF_SERVER_HTTP_PORT"]) == ("127.0.0.1", "3456")


def test_its_contact_points_are_those_of_the_alerts(settings: Settings) -> None:
    hook, password = SecretStr("https://hooks.slack.com/services/T/B/x"), SecretStr("p")
    changes = {"slack_webhook_url": hook, "alert_email_to": "ann@shop.example", "smtp_host": "mail"}
    changes |= {"smtp_user": "platform", "smtp_password": password, "smtp_starttls": True}
    environment = Grafana(settings.model_copy(update=changes)).environment()
    assert environment["SLACK_WEBHOOK_URL"] == hook.get_secret_value()
    assert environment["ALERT_EMAIL_TO"] == "ann@shop.example"
    assert environment["GF_SMTP_HOST"] == "mail:25"
    assert environment["GF_SMTP_STARTTLS_POLICY"] == "MandatoryStartTLS"


def test_without_slack_and_mail_it_still_starts(settings: Settings) -> None:
    environment = Grafana(settings).environment()
    assert environment["SLACK_WEBHOOK_URL"].endswith(".invalid/")
    assert environment["ALERT_EMAIL_TO"]
    assert "GF_SMTP_ENABLED" not in environment


def test_an_away_grafana_says_where_it_was_asked(settings: Settings) -> None:
    problem = Grafana(settings.model_copy(update={"grafana_port": 1})).problem()
    assert problem == "no answer at http://127.0.0.1:1/api/health (ConnectError)"
