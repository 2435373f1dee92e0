"""Alerts as Slack's Block Kit, short enough for a phone."""

from typing import Any, Final

from include.alerting.deliveries import Delivery
from include.alerting.incidents import Event
from include.alerting.wording import headline, mark, moment, status

Blocks = list[dict[str, Any]]

# Limits of Block Kit: 150 characters in a header, 3,000 in a text, 10 fields of 2,000, 25 elements of actions.
_HEADER: Final = 150
_FIELD: Final = 300
_MOST_FIELDS: Final = 8
_MOST_BUTTONS: Final = 5
_MOST_LINES: Final = 20


def escaped(text: str) -> str:
    """Text that Slack shows as it is: no mention, link or format comes out of an event's values."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # A zero-width space breaks what Slack would take for bold, italics or code.
    return "".join(f"{character}\u200b" if character in "*_~`" else character for character in text)


def single(delivery: Delivery) -> tuple[str, Blocks]:
    """The message about one incident: text for notifications, and blocks."""
    incident, alert = delivery.incident, delivery.incident.alert
    title = f"{mark(delivery.event, incident)} {alert.subject}"
    blocks: Blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(title, _HEADER), "emoji": True}},
        {
            "type": "context",
            "elements": [
                _markdown(f"*{escaped(status(delivery))}* · {escaped(alert.source)} · {moment(alert.time)}"),
            ],
        },
    ]
    if delivery.event is not Event.ACKNOWLEDGED and alert.evidence:
        fields = [
            _markdown(f"*{escaped(name)}*\n{escaped(_cut(text, _FIELD))}")
            for name, text in list(alert.evidence.items())[:_MOST_FIELDS]
        ]
        blocks.append({"type": "section", "fields": fields})
    buttons = _buttons(delivery)
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    return headline(delivery), blocks


def grouped(deliveries: list[Delivery]) -> tuple[str, Blocks]:
    """One message about several incidents."""
    title = f"{len(deliveries)} alerts"
    shown = [f"{escaped(headline(delivery))}{_first_link(delivery)}" for delivery in deliveries[:_MOST_LINES]]
    if len(deliveries) > _MOST_LINES:
        shown.append(f"… and {len(deliveries) - _MOST_LINES} more on the Platform page")
    blocks: Blocks = [{"type": "header", "text": {"type": "plain_text", "text": title, "emoji": True}}]
    # Ten lines of 200 characters with a link each stay below the limit of one text.
    for start in range(0, len(shown), 5):
        blocks.append({"type": "section", "text": _markdown("\n".join(shown[start : start + 5]))})
    return f"{title}: {headline(deliveries[0])} …", blocks


def lines(title: str, texts: list[str]) -> tuple[str, Blocks]:
    """A plain list under a title, as the daily summary is."""
    body = "\n".join(escaped(text) for text in texts[:_MOST_LINES])
    return title, [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(title, _HEADER), "emoji": True}},
        {"type": "section", "text": _markdown(_cut(body, 2_900))},
    ]


def _buttons(delivery: Delivery) -> Blocks:
    alert = delivery.incident.alert
    links = [(link.label, link.url) for link in alert.links]
    if alert.runbook:
        links.append(("Run-book", alert.runbook))
    return [
        {
            "type": "button",
            "text": {"type": "plain_text", "text": label, "emoji": True},
            "url": url,
            "action_id": f"link-{number}",
        }
        for number, (label, url) in enumerate(links[:_MOST_BUTTONS])
    ]


def _first_link(delivery: Delivery) -> str:
    links = delivery.incident.alert.links
    return f" <{links[0].url}|{escaped(links[0].label)}>" if links else ""


def _markdown(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
