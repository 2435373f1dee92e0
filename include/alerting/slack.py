"""Slack: sends one message by a webhook or a bot, and tells how it went."""

import logging
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, Final

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from include.alerting.deliveries import Delivery
from include.alerting.slack_message import Blocks, grouped, lines, single
from include.errors import DeliveryError

_TIMEOUT_SECONDS: Final = 5
_REFUSED: Final = frozenset({400, 413})
_REFUSED_ERRORS: Final = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_too_long", "no_text"})


def _silent() -> logging.Logger:
    # The SDK logs addresses, which for a webhook are the secret; what went wrong is in our own error.
    logger = logging.Logger("slack_sdk (silenced)")
    logger.setLevel(logging.CRITICAL + 1)
    return logger


def _wait_of(headers: Mapping[str, Any]) -> float | None:
    found = next((value for name, value in headers.items() if name.lower() == "retry-after"), None)
    text = str(found[0] if isinstance(found, list) else found)
    return float(text) if text.isdecimal() else None


def _message(deliveries: list[Delivery]) -> tuple[str, Blocks]:
    return single(deliveries[0]) if len(deliveries) == 1 else grouped(deliveries)


class Webhook:
    """An incoming webhook: one channel, no threads.

    Args:
        url: The webhook's address, which is its secret.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def tell(self, deliveries: list[Delivery], thread: str | None) -> str | None:  # noqa: ARG002 - it has no threads
        """Send one message about one or several incidents.

        Raises:
            DeliveryError: If Slack did not take it.
        """
        self.send(*_message(deliveries))
        return None

    def tell_lines(self, title: str, texts: list[str]) -> None:
        """Send a plain list.

        Raises:
            DeliveryError: If Slack did not take it.
        """
        self.send(*lines(title, texts))

    def send(self, text: str, blocks: Blocks) -> None:
        """Send one message.

        Raises:
            DeliveryError: If Slack did not take it; the address is not in the text.
        """
        client = WebhookClient(self._url, timeout=_TIMEOUT_SECONDS, logger=_silent(), retry_handlers=[])
        try:
            answer = client.send(text=text, blocks=blocks, unfurl_links=False, unfurl_media=False)
        except (OSError, HTTPException, SlackClientError, ValueError) as error:
            raise DeliveryError(f"Slack's webhook: {type(error).__name__}") from None
        if answer.status_code == 200 and answer.body.strip() == "ok":
            return
        raise DeliveryError(
            f"Slack's webhook answers {answer.status_code}: {answer.body[:100]!r}",
            retry_after=_wait_of(answer.headers),
            permanent=answer.status_code in _REFUSED,
        )


class Bot:
    """A bot: any channel it is in, one thread for each incident.

    Args:
        token: The bot's token.
        channel: Name or id of the channel.
        api_url: Slack's API.
    """

    def __init__(self, token: str, channel: str, api_url: str) -> None:
        self._token = token
        self._channel = channel
        self._api_url = api_url

    def tell(self, deliveries: list[Delivery], thread: str | None) -> str | None:
        """Send one message about one or several incidents, in a thread where one is given.

        Returns:
            The message's own thread.

        Raises:
            DeliveryError: If Slack did not take it.
        """
        return self.send(*_message(deliveries), thread)

    def tell_lines(self, title: str, texts: list[str]) -> None:
        """Send a plain list.

        Raises:
            DeliveryError: If Slack did not take it.
        """
        self.send(*lines(title, texts), None)

    def send(self, text: str, blocks: Blocks, thread: str | None) -> str:
        """Send one message, in a thread where one is given.

        Returns:
            The message's own thread.

        Raises:
            DeliveryError: If Slack did not take it.
        """
        client = WebClient(
            self._token, base_url=self._api_url, timeout=_TIMEOUT_SECONDS, logger=_silent(), retry_handlers=[]
        )
        try:
            answer = client.chat_postMessage(
                channel=self._channel, text=text, blocks=blocks, thread_ts=thread, unfurl_links=False
            )
        except SlackApiError as error:
            raise self._told(error) from None
        except (OSError, HTTPException, SlackClientError, ValueError) as error:
            raise DeliveryError(f"Slack's API: {type(error).__name__}") from None
        stamp = answer.get("ts")
        if not isinstance(stamp, str):
            raise DeliveryError("Slack's API answers without the message's ts")
        return thread or stamp

    def _told(self, error: SlackApiError) -> DeliveryError:
        answer = error.response
        reason = str(answer.get("error")) if isinstance(answer.data, dict) else "not JSON"
        return DeliveryError(
            f"Slack's API answers {answer.status_code} {reason} for the channel {self._channel}",
            retry_after=_wait_of(answer.headers),
            permanent=reason in _REFUSED_ERRORS,
        )
