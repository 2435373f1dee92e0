"""Alerts: what is not set is off."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from include.settings.places import PROJECT_ROOT
from include.settings.ports import Port


class AlertSettings(BaseSettings):
    """Slack, mail, and which alert goes where."""

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
