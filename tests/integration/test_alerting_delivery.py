"""Alerts on their way to a Slack and a mail server of our own: what arrives, and what happens when it does not."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from include.alerting.alert import Alert, Kind, Link, Severity
from include.alerting.courier import Courier
from include.alerting.dispatcher import Dispatcher
from include.alerting.incidents import listed
from include.alerting.intake import acknowledge
from include.alerting.outbox import Outbox
from include.alerting.receivers import receivers_of
from include.alerting.routing import Routing
from include.alerting.store import connection, store_path
from include.config import Settings
from include.local.ports import find_free
from tests.integration.alert_servers import Answer, MailServer, Slack, running_mail_server, running_slack

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ROUTING = Routing.model_validate(
    {
        "destinations": {"slack": {"type": "slack"}, "mail": {"type": "email"}},
        "routes": [{"severities": ["critical"], "to": ["slack", "mail"]}, {"to": ["slack"]}],
        "grouping": {"wait_seconds": 0},
        "rate_limit": {"messages": 3, "per_seconds": 60},
        "escalation": [{"after_minutes": 15, "to": ["mail"]}],
        "digest": {"at": "07:00", "to": ["mail"]},
    }
)


def an_alert(key: str = "stream/live_metrics", severity: Severity = Severity.WARNING, **fields: object) -> Alert:
    values = {
        "source": "speed-layer",
        "kind": Kind.STREAM_HEALTH,
        "subject": f"{key} stands still",
        "evidence": {"lag": 48_200, "text": "<!channel> & *bold*"},
        "links": (Link(label="Spark UI", url="http://127.0.0.1:4040/StreamingQuery"),),
        "runbook": "https://example.org/runbook",
        "time": NOW,
        **fields,
    }
    return Alert.model_validate({"key": key, "severity": severity, **values})


class Platform:
    """A store with the couriers of its destinations, and a clock of its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.path = store_path(settings)
        self.receivers = receivers_of(settings, ROUTING)
        self.dispatcher = Dispatcher(settings, ROUTING, self.receivers)
        self.couriers = {name: Courier(self.path, name, receiver, ROUTING) for name, receiver in self.receivers.items()}

    def say(self, *alerts: Alert, at: datetime = NOW) -> None:
        for alert in alerts:
            assert Outbox(self.settings).put(alert)
        self.dispatcher.take(at)

    def deliver(self, at: datetime = NOW) -> int:
        return sum(courier.step(at) for courier in self.couriers.values())


@pytest.fixture
def slack() -> Iterator[Slack]:
    with running_slack() as server:
        yield server


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with running_mail_server(find_free(1)[0]) as server:
        yield server


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def webhook(slack: Slack, tmp_path: Path) -> Platform:
    return Platform(Settings(_env_file=None, platform_data_dir=tmp_path, slack_webhook_url=slack.webhook))


@pytest.fixture
def bot(slack: Slack, tmp_path: Path) -> Platform:
    return Platform(
        Settings(
            _env_file=None,
            platform_data_dir=tmp_path,
            slack_bot_token="xoxb-s3cr3t",
            slack_channel="#ops",
            slack_api_url=f"{slack.url}/api/",
        )
    )


@pytest.fixture
def by_mail(mail: MailServer, tmp_path: Path) -> Platform:
    return Platform(
        Settings(
            _env_file=None,
            platform_data_dir=tmp_path,
            smtp_host="127.0.0.1",
            smtp_port=mail.port,
            smtp_user="platform",
            smtp_password="s3cr3t-smtp",
            alert_email_to="a@example.org, b@example.org",
        )
    )


def test_slack_gets_blocks_with_escaped_evidence_and_link_buttons(webhook: Platform, slack: Slack) -> None:
    webhook.say(an_alert())
    webhook.deliver()

    assert slack.taken == [
        {
            "text": "🟠 Warning: stream/live_metrics stands still",
            "unfurl_links": False,
            "unfurl_media": False,
            "blocks": [
                {
                    "type": "header",
                    "text": {"type": "plain_text", "text": "🟠 stream/live_metrics stands still", "emoji": True},
                },
                {
                    "type": "context",
                    "elements": [{"type": "mrkdwn", "text": "*Warning* · speed-layer · 02 Mar 12:00:00 UTC"}],
                },
                {
                    "type": "section",
                    "fields": [
                        {"type": "mrkdwn", "text": "*lag*\n48200"},
                        {"type": "mrkdwn", "text": "*text*\n&lt;!channel&gt; &amp; *\u200bbold*\u200b"},
                    ],
                },
                {
                    "type": "actions",
                    "elements": [
                        {
                            "type": "button",
                            "text": {"type": "plain_text", "text": "Spark UI", "emoji": True},
                            "url": "http://127.0.0.1:4040/StreamingQuery",
                            "action_id": "link-0",
                        },
                        {
                            "type": "button",
                            "text": {"type": "plain_text", "text": "Run-book", "emoji": True},
                            "url": "https://example.org/runbook",
                            "action_id": "link-1",
                        },
                    ],
                },
            ],
        }
    ]


def test_alerts_of_one_key_are_one_message(webhook: Platform, slack: Slack) -> None:
    webhook.say(an_alert(), an_alert(), an_alert())
    webhook.deliver()

    assert len(slack.taken) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Answer(status=500, body="server error"),
        Answer(status=200, body="<html>captive portal</html>"),
        Answer(raw=b"nonsense\r\n\r\n"),
        Answer(delay=6),
    ],
    ids=["server-error", "odd-body", "no-http", "time-out"],
)
def test_what_slack_did_not_take_goes_out_later_and_once(webhook: Platform, slack: Slack, fault: Answer) -> None:
    if fault.delay:
        fault.raw = b""
    slack.script.append(fault)
    webhook.say(an_alert())

    assert webhook.deliver() == 0
    assert webhook.deliver(NOW + timedelta(seconds=0.5)) == 0
    assert webhook.deliver(NOW + timedelta(seconds=1)) == 1
    assert webhook.deliver(NOW + timedelta(seconds=600)) == 0
    assert len(slack.taken) == 1


def test_a_rate_limit_is_waited_for_as_long_as_slack_asks(webhook: Platform, slack: Slack) -> None:
    slack.script.append(Answer(status=429, body="rate_limited", headers={"Retry-After": "30"}))
    webhook.say(an_alert())

    assert webhook.deliver() == 0
    assert webhook.deliver(NOW + timedelta(seconds=29)) == 0
    assert len(slack.requests) == 1
    assert webhook.deliver(NOW + timedelta(seconds=30)) == 1
    assert len(slack.taken) == 1


def test_what_was_queued_survives_the_dispatcher(webhook: Platform, slack: Slack) -> None:
    slack.script.append(Answer(status=503, body="down"))
    webhook.say(an_alert())
    webhook.deliver()

    after_restart = Platform(webhook.settings)

    assert after_restart.deliver(NOW + timedelta(seconds=60)) == 1
    assert after_restart.deliver(NOW + timedelta(seconds=120)) == 0
    assert len(slack.taken) == 1


def test_a_refused_message_is_given_up_and_does_not_hold_up_the_next(webhook: Platform, slack: Slack) -> None:
    slack.script.append(Answer(status=400, body="invalid_payload"))
    webhook.say(an_alert("a"), an_alert("b"))
    webhook.deliver()

    assert [message["text"] for message in slack.taken] == ["🟠 Warning: b stands still"]
    assert webhook.deliver(NOW + timedelta(hours=1)) == 0


def test_no_more_messages_go_out_than_the_rate_limit_allows(webhook: Platform, slack: Slack) -> None:
    for number in range(5):
        webhook.say(an_alert(f"key-{number}"))
        webhook.deliver()

    assert len(slack.taken) == 3
    webhook.deliver(NOW + timedelta(seconds=60))
    assert len(slack.taken) == 5


def test_many_incidents_at_once_are_one_message(webhook: Platform, slack: Slack) -> None:
    webhook.say(*(an_alert(f"key-{number}") for number in range(7)))

    assert webhook.deliver() == 1
    assert slack.taken[0]["text"].startswith("7 alerts: ")
    body = json.dumps(slack.taken[0]["blocks"], ensure_ascii=False)
    assert all(f"key-{number} stands still" in body for number in range(7))


def test_a_bot_keeps_one_thread_for_each_incident(bot: Platform, slack: Slack) -> None:
    bot.say(an_alert("a"), an_alert("b"))
    bot.deliver()
    bot.say(an_alert("b", resolved=True, time=NOW + timedelta(seconds=90)))
    bot.deliver()

    first, second, answer = slack.taken
    assert (first["channel"], "thread_ts" in first, "thread_ts" in second) == ("#ops", False, False)
    assert answer["thread_ts"] == "17000000.1"
    assert answer["text"] == "🟢 Resolved after 90 s: b stands still"


def test_a_bot_waits_and_tries_again_when_slack_says_no(bot: Platform, slack: Slack) -> None:
    slack.script += [
        Answer(status=429, body='{"error": "ratelimited"}', headers={"Retry-After": "7"}),
        Answer(body='{"error": "channel_not_found"}'),
        Answer(body="not json"),
    ]
    bot.say(an_alert())

    times = [NOW + timedelta(seconds=second) for second in (0, 6, 7, 20, 90)]
    assert [bot.deliver(time) for time in times] == [0, 0, 0, 0, 1]
    assert len(slack.requests) == 4


def test_an_acknowledged_incident_is_neither_repeated_nor_escalated(by_mail: Platform, mail: MailServer) -> None:
    by_mail.say(an_alert(severity=Severity.CRITICAL))
    by_mail.deliver()
    with connection(by_mail.path) as database:
        acknowledge(database, listed(database)[0].incident, "ops", NOW)
    by_mail.deliver()
    later = NOW + timedelta(hours=3)
    by_mail.say(an_alert(severity=Severity.CRITICAL, time=later), at=later)
    by_mail.deliver(later)

    assert [message["Subject"] for _, message in mail.taken] == [
        "🔴 Critical: stream/live_metrics stands still",
        "👀 Acknowledged by ops: stream/live_metrics stands still",
    ]


def test_an_incident_that_nobody_acknowledges_escalates_once(by_mail: Platform, mail: MailServer) -> None:
    by_mail.say(an_alert(severity=Severity.CRITICAL))
    by_mail.deliver()
    for minutes in (14, 15, 30):
        by_mail.dispatcher.take(NOW + timedelta(minutes=minutes))
        by_mail.deliver(NOW + timedelta(minutes=minutes))

    assert [message["Subject"] for _, message in mail.taken] == [
        "🔴 Critical: stream/live_metrics stands still",
        "🔴 Unacknowledged since 02 Mar 12:00:00 UTC: stream/live_metrics stands still",
    ]


def test_a_mail_has_html_and_text_and_list_headers(by_mail: Platform, mail: MailServer) -> None:
    by_mail.say(an_alert(severity=Severity.CRITICAL))
    by_mail.deliver()

    ((receivers, message),) = mail.taken
    assert receivers == ["a@example.org", "b@example.org"]
    assert message["From"] == "Platform alerts <alerts@localhost>"
    assert message["List-Id"] == "Alerts of realtime-data-platform <alerts.realtime-data-platform>"
    assert message["List-Unsubscribe"] == "<mailto:alerts@localhost?subject=unsubscribe>"
    assert message["Auto-Submitted"] == "auto-generated"
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == (
        "🔴 Critical: stream/live_metrics stands still\n"
        "speed-layer, 02 Mar 12:00:00 UTC\n"
        "  lag: 48200\n"
        "  text: <!channel> & *bold*\n"
        "Spark UI: http://127.0.0.1:4040/StreamingQuery\n"
        "Run-book: https://example.org/runbook\n"
    )
    assert "&lt;!channel&gt; &amp; *bold*" in html.get_content()
    assert mail.logins == [(b"platform", b"s3cr3t-smtp")]


def test_a_mail_that_is_refused_goes_out_later_and_once(by_mail: Platform, mail: MailServer) -> None:
    mail.refuse_with.append("451 try later")
    by_mail.say(an_alert(severity=Severity.CRITICAL))

    assert [by_mail.deliver(NOW + timedelta(seconds=second)) for second in (0, 2, 60)] == [0, 1, 0]
    assert len(mail.taken) == 1


def test_the_daily_summary_goes_out_once_a_day(by_mail: Platform, mail: MailServer) -> None:
    by_mail.say(an_alert())
    sent = [by_mail.dispatcher.send_digest("mail", NOW + timedelta(hours=hours)) for hours in (-6, 0, 1, 24)]

    assert sent == [False, True, False, True]
    assert mail.taken[0][1]["Subject"] == "Alerts of the last 24 hours: 1, open: 1"


def test_what_is_not_set_is_off_with_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    platform = Platform(Settings(_env_file=None, platform_data_dir=tmp_path))
    platform.say(an_alert())

    assert platform.receivers == {}
    assert platform.deliver() == 0
    assert [record.message for record in caplog.records] == [
        "alert destination is off: name=slack missing=SLACK_WEBHOOK_URL, or SLACK_BOT_TOKEN with SLACK_CHANNEL",
        "alert destination is off: name=mail missing=SMTP_HOST and ALERT_EMAIL_TO",
    ]


def test_no_secret_is_ever_logged(
    webhook: Platform,
    by_mail: Platform,
    bot: Platform,
    slack: Slack,
    mail: MailServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    slack.script += [Answer(status=403, body="invalid_token"), Answer(raw=b"nonsense\r\n\r\n"), Answer(status=500)]
    mail.refuse_with.append("535 no")
    for number, platform in enumerate((webhook, bot, by_mail)):
        # They share a store: what one could not deliver, the next tries after a while.
        moment = NOW + timedelta(minutes=number)
        platform.say(an_alert(f"stream/{number}", severity=Severity.CRITICAL), at=moment)
        platform.deliver(moment)
        caplog.records.append(logging.makeLogRecord({"msg": repr(platform.settings)}))

    refused = [record.getMessage() for record in caplog.records if record.name == "include.alerting.courier"]
    assert [text.split("destination=")[1].split()[0] for text in refused] == ["slack", "slack", "mail"]
    assert "s3cr3t" not in caplog.text + "".join(record.getMessage() for record in caplog.records)
