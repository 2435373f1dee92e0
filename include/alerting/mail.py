"""Mail: alerts as HTML and text, sent by SMTP.

The dispatcher runs outside Airflow, so it uses Python's own ``smtplib``; the SMTP provider's hook would load Airflow
and read its database to find one host name.
"""

import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from html import escape
from typing import Final

from include.alerting.deliveries import Delivery
from include.alerting.wording import headline, moment, status
from include.config import Settings
from include.errors import DeliveryError
from include.names import PLATFORM

_TIMEOUT_SECONDS: Final = 10
_COLOURS: Final = {"info": "#2563eb", "warning": "#d97706", "critical": "#dc2626"}
_PAGE: Final = (
    '<div style="font:15px/1.5 system-ui,sans-serif;color:#1f2937;max-width:600px;margin:auto">{body}'
    '<p style="color:#6b7280;font-size:13px">You receive this as one of ALERT_EMAIL_TO of {platform}.</p></div>'
)


def alert_mail(deliveries: list[Delivery]) -> EmailMessage:
    """One mail about one or several incidents, without sender and receivers."""
    first = deliveries[0]
    title = headline(first) if len(deliveries) == 1 else f"{len(deliveries)} alerts: {headline(first)} …"
    message = _mail(
        title,
        "\n\n".join(_text(delivery) for delivery in deliveries),
        "".join(_html(delivery) for delivery in deliveries),
    )
    # All mails about an incident stand in one conversation of the mail program.
    message["References"] = f"<{first.incident.incident}@{PLATFORM}>"
    message["Date"] = format_datetime(first.incident.last_at)
    return message


def list_mail(title: str, lines: list[str]) -> EmailMessage:
    """A plain list under a title, as the daily summary is."""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return _mail(title, "\n".join(lines), f'<h2 style="font-size:18px">{escape(title)}</h2><ul>{items}</ul>')


def _mail(subject: str, text: str, html: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = " ".join(subject.split())
    message["Message-ID"] = make_msgid(domain=PLATFORM)
    message["List-Id"] = f"Alerts of {PLATFORM} <alerts.{PLATFORM}>"
    # Out-of-office programs answer no mail that carries these.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(f"{text}\n")
    message.add_alternative(_PAGE.format(body=html, platform=PLATFORM), subtype="html")
    return message


def _links(delivery: Delivery) -> list[tuple[str, str]]:
    alert = delivery.incident.alert
    links = [(link.label, link.url) for link in alert.links]
    return [*links, ("Run-book", alert.runbook)] if alert.runbook else links


def _text(delivery: Delivery) -> str:
    alert = delivery.incident.alert
    lines = [headline(delivery), f"{alert.source}, {moment(alert.time)}"]
    lines += [f"  {name}: {text}" for name, text in alert.evidence.items()]
    lines += [f"{label}: {url}" for label, url in _links(delivery)]
    return "\n".join(lines)


def _html(delivery: Delivery) -> str:
    incident, alert = delivery.incident, delivery.incident.alert
    colour = "#16a34a" if incident.state == "resolved" else _COLOURS[incident.severity]
    rows = "".join(
        f'<tr><td style="color:#6b7280;padding:2px 12px 2px 0;vertical-align:top">{escape(name)}</td>'
        f'<td style="overflow-wrap:anywhere">{escape(text)}</td></tr>'
        for name, text in alert.evidence.items()
    )
    buttons = " ".join(
        f'<a href="{escape(url)}" style="display:inline-block;padding:6px 14px;border:1px solid #d1d5db;'
        f'border-radius:6px;color:#1f2937;text-decoration:none">{escape(label)}</a>'
        for label, url in _links(delivery)
    )
    return (
        f'<div style="border-left:4px solid {colour};padding:4px 0 4px 16px;margin:0 0 24px">'
        f'<h2 style="font-size:18px;margin:0">{escape(alert.subject)}</h2>'
        f'<p style="margin:2px 0 10px;color:{colour}">{escape(status(delivery))} · '
        f"{escape(alert.source)} · {moment(alert.time)}</p>"
        f'<table style="font-size:14px">{rows}</table><p>{buttons}</p></div>'
    )


class Mailbox:
    """Receivers of mail, by the mail server of the settings.

    Args:
        settings: Server, user and sender.
        receivers: Addresses.
    """

    def __init__(self, settings: Settings, receivers: tuple[str, ...]) -> None:
        self._settings = settings
        self._receivers = receivers

    def tell(self, deliveries: list[Delivery], thread: str | None) -> str | None:  # noqa: ARG002 - mails have headers
        """Send one mail about one or several incidents.

        Raises:
            DeliveryError: If the mail server did not take it.
        """
        self.send(alert_mail(deliveries))
        return None

    def tell_lines(self, title: str, lines: list[str]) -> None:
        """Send a plain list.

        Raises:
            DeliveryError: If the mail server did not take it.
        """
        self.send(list_mail(title, lines))

    def send(self, message: EmailMessage) -> None:
        """Send one mail to all receivers.

        Raises:
            DeliveryError: If the server did not take it for any of them.
        """
        settings = self._settings
        sender = settings.alert_email_from
        message["From"] = str(Address("Platform alerts", addr_spec=sender))
        message["To"] = ", ".join(self._receivers)
        message["List-Unsubscribe"] = f"<mailto:{sender}?subject=unsubscribe>"
        try:
            with smtplib.SMTP(str(settings.smtp_host), settings.smtp_port, timeout=_TIMEOUT_SECONDS) as server:
                if settings.smtp_starttls:
                    server.starttls(context=ssl.create_default_context())
                if settings.smtp_user and settings.smtp_password:
                    server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
                server.send_message(message, sender, list(self._receivers))
        except smtplib.SMTPResponseException as error:
            text = (
                error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
            )
            raise DeliveryError(f"mail server answers {error.smtp_code} {text}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryError(f"mail server: {type(error).__name__}: {error}") from None
