"""One story on everything that ``start`` starts: a shop sells, a stolen card is used, a driver is killed, a restart.

The tests build on each other. Slack is the only part that is played.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from include.config import PROJECT_ROOT, Settings
from include.local.ports import find_free
from include.local.state import part_states
from include.names import Part, Query, Topic
from include.producers.sender import Sender
from include.supervision.spark_submit import settings_environment
from tests.browser.conftest import SCREENSHOTS
from tests.integration.alert_servers import Slack, running_slack
from tests.integration.conftest import data_folder, settings_in
from tests.integration.speed_layer_events import order

pytestmark = pytest.mark.timeout(900)

PASSWORD = "whole-platform"
_URGENT = (Query.LIVE_METRICS, Query.FRAUD_INSTANT, Query.BRONZE_ARCHIVE)


@dataclass(frozen=True)
class Whole:
    """A platform that runs, and the Slack that it tells."""

    settings: Settings
    slack: Slack

    def told(self, words: str) -> list[dict[str, Any]]:
        """Messages that Slack took which say this."""
        return [message for message in list(self.slack.taken) if words in json.dumps(message)]


def until(condition: Callable[[], Any], what: str, seconds: float = 240) -> float:
    """Wait; returns for how long."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, f"still waiting for {what} after {seconds:.0f} s"
        time.sleep(0.1)
    return time.monotonic() - begun


def _command(environment: dict[str, str], *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "main.py", *arguments],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, f"main.py {arguments}: {done.stdout[-3000:]}{done.stderr[-3000:]}"


@pytest.fixture(scope="module")
def whole() -> Iterator[Whole]:
    with data_folder() as folder, running_slack() as slack:
        (api_port,) = find_free(1)
        settings = settings_in(folder).model_copy(update={"api_port": api_port})
        environment = {
            **os.environ,
            **settings_environment(settings),
            "API_PORT": str(api_port),
            "SLACK_BOT_TOKEN": "xoxb-of-the-test",
            "SLACK_CHANNEL": "#shop",
            "SLACK_API_URL": f"{slack.url}/api/",
            "AIRFLOW_ADMIN_PASSWORD": PASSWORD,
            "DEMO_RATE": "20",
        }
        try:
            _command(environment, "start")
            yield Whole(settings, slack)
        finally:
            _command(environment, "stop")


@pytest.fixture
def page(whole: Whole, visitor: BrowserContext) -> Page:
    """The Platform page, after a log-in."""
    visitor.set_default_timeout(60_000)
    opened = visitor.new_page()
    opened.goto(whole.settings.airflow_url)
    opened.fill("input[name=username]", "admin")
    opened.fill("input[name=password]", PASSWORD)
    opened.click("button[type=submit]")
    opened.get_by_role("link", name="Platform", exact=True).wait_for()
    opened.goto(f"{whole.settings.airflow_url}/platform/")
    expect(opened.locator("#status")).to_have_text("Live", timeout=60_000)
    return opened


def stream_is_healthy(page: Page, query: Query) -> None:
    words = query.value.replace("_", " ")
    row = page.locator("#streams tbody tr", has_text=re.compile(words, re.IGNORECASE))
    expect(row.locator(".pill")).to_have_text("ok", timeout=240_000)


def driver_pid(settings: Settings) -> int | None:
    return next(state.pid for state in part_states(settings) if state.part is Part.SPEED_LAYER)


def test_the_shops_numbers_move_on_the_page(page: Page) -> None:
    value = page.locator(".kpi", has_text="Sales per minute").locator(".value")
    expect(value).to_contain_text("€", timeout=120_000)
    before = value.inner_text()
    expect(value).not_to_have_text(before, timeout=60_000)
    for query in _URGENT:
        stream_is_healthy(page, query)
    page.screenshot(path=SCREENSHOTS / "whole-platform.png", full_page=True)


def test_slack_hears_of_a_stolen_card_and_somebody_takes_the_alert(whole: Whole, page: Page) -> None:
    event = order("stolen") | {
        "event_time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "payment": {"method": "card", "card_id": "c-blocked-3"},
    }
    sender = Sender(whole.settings)
    sender.connect(10)
    sender.send(Topic.PURCHASES.value, event["user_id"].encode(), json.dumps(event).encode(), lambda *_: None)
    assert sender.finish(10) == 0
    seconds = until(lambda: whole.told("user-stolen"), "the stolen card in Slack", 60)
    sys.stdout.write(f"stolen card in Slack after {seconds:.1f} s\n")

    alert = page.locator("#alerts li", has_text=re.compile("blocked", re.IGNORECASE)).first
    alert.get_by_role("button").click()
    expect(alert).to_contain_text("Taken by admin", timeout=30_000)


def test_a_killed_driver_is_told_comes_back_and_is_told_again_in_the_same_thread(whole: Whole, page: Page) -> None:
    before = driver_pid(whole.settings)
    assert before is not None
    os.kill(before, signal.SIGKILL)
    again = until(lambda: driver_pid(whole.settings) not in (None, before), "another driver", 120)
    told = until(lambda: whole.told("ended by itself"), "the end of the driver in Slack", 180)
    stream_is_healthy(page, Query.LIVE_METRICS)
    until(lambda: whole.told("healthy again"), "the recovery in Slack", 300)
    sys.stdout.write(f"another driver after {again:.1f} s, Slack heard after {again + told:.1f} s\n")
    (ended,) = whole.told("ended by itself")[:1]
    (healthy,) = whole.told("healthy again")[:1]
    assert "thread_ts" not in ended
    assert healthy["thread_ts"]


def test_a_restart_from_the_page_brings_new_drivers(whole: Whole, page: Page) -> None:
    before = driver_pid(whole.settings)
    page.get_by_role("button", name="Restart speed layer").click()
    page.get_by_role("button", name="Trigger").click()
    expect(page.locator("#toast")).to_contain_text("Triggered: manual__")
    until(lambda: driver_pid(whole.settings) not in (None, before), "the new driver")
    for query in _URGENT:
        stream_is_healthy(page, query)


def test_the_log_of_every_part_names_no_secret(whole: Whole) -> None:
    logs = [path for path in Path(whole.settings.log_dir).rglob("*.log") if path.is_file()]
    assert logs
    found = [path.name for path in logs if "xoxb-of-the-test" in path.read_text(encoding="utf-8", errors="replace")]
    assert found == []
