"""The destinations of the routing file, joined with the addresses and secrets of the settings."""

import logging
from typing import Protocol

from include.alerting.deliveries import Delivery
from include.alerting.mail import Mailbox
from include.alerting.routing import Destination, EmailDestination, Routing
from include.alerting.slack import Bot, Webhook
from include.config import Settings

logger = logging.getLogger(__name__)


class Receiver(Protocol):
    """Whoever can be told something. Each method raises DeliveryError when the message was not taken."""

    def tell(self, deliveries: list[Delivery], thread: str | None) -> str | None:
        """Send one message about these incidents; gives the thread that later messages may answer in."""

    def tell_lines(self, title: str, lines: list[str]) -> None:
        """Send a plain list under a title."""


def receivers_of(settings: Settings, routing: Routing) -> dict[str, Receiver]:
    """The destinations that can be reached; each that lacks a setting is off, with one line in the log."""
    found: dict[str, Receiver] = {}
    for name, destination in routing.destinations.items():
        receiver = _receiver(settings, destination)
        if receiver is None:
            logger.warning("alert destination is off: name=%s missing=%s", name, _missing(destination))
        else:
            found[name] = receiver
    return found


def _receiver(settings: Settings, destination: Destination) -> Receiver | None:
    if isinstance(destination, EmailDestination):
        addresses = destination.to or _addresses(settings)
        return Mailbox(settings, addresses) if settings.smtp_host and addresses else None
    channel = destination.channel or settings.slack_channel
    if settings.slack_bot_token and channel:
        return Bot(settings.slack_bot_token.get_secret_value(), channel, settings.slack_api_url)
    if settings.slack_webhook_url and destination.channel is None:
        return Webhook(settings.slack_webhook_url.get_secret_value())
    return None


def _missing(destination: Destination) -> str:
    if isinstance(destination, EmailDestination):
        return "SMTP_HOST and ALERT_EMAIL_TO"
    if destination.channel:
        return "SLACK_BOT_TOKEN (a webhook cannot choose its channel)"
    return "SLACK_WEBHOOK_URL, or SLACK_BOT_TOKEN with SLACK_CHANNEL"


def _addresses(settings: Settings) -> tuple[str, ...]:
    return tuple(address.strip() for address in (settings.alert_email_to or "").split(",") if address.strip())
