"""The Platform page as a person sees it."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest
from elasticsearch.helpers import bulk
from playwright.sync_api import BrowserContext, Page, expect

from include.serving.client import connect
from tests.browser.conftest import SCREENSHOTS
from tests.browser.served_page import PASSWORDS, Site, logged_in
from tests.browser.shop_in_use import sold


def opened(context: BrowserContext, site: Site, path: str = "/platform/") -> Page:
    page = context.new_page()
    page.goto(f"{site.url}{path}")
    return page


@contextmanager
def selling(site: Site) -> Iterator[None]:
    """Documents arrive twice a second."""
    stop = threading.Event()

    def sell() -> None:
        with connect(site.settings) as client:
            while not stop.wait(0.5):
                now = datetime.now(UTC)
                bulk(client, [{"_index": "metrics-speed-000001", **body} for body in sold(now, now, 1.2)])

    thread = threading.Thread(target=sell)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def number(page: Page, figure: str) -> str:
    return page.locator(".kpi", has_text=figure).locator(".value").inner_text()


def test_somebody_logs_in_and_finds_the_page_in_airflows_navigation(visitor: BrowserContext, site: Site) -> None:
    page = opened(visitor, site, "/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", PASSWORDS["admin"])
    page.click("button[type=submit]")
    page.get_by_role("link", name="Platform").click()

    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("status").first).to_have_text(re.compile("Live|Last figures"))
    expect(frame.locator(".kpi")).to_have_count(5)
    page.wait_for_timeout(600)
    page.screenshot(path=SCREENSHOTS / "platform-in-airflow.png")


def test_numbers_move_while_documents_arrive(visitor: BrowserContext, site: Site) -> None:
    logged_in(visitor, site, "admin")
    page = opened(visitor, site)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    expect(page.locator("#revenue canvas")).to_be_visible()

    with selling(site):
        expect(page.locator("#status")).to_have_text("Live")
        before = number(page, "Sales per minute")
        expect(page.locator(".kpi", has_text="Sales per minute").locator(".value")).not_to_have_text(before)
        page.screenshot(path=SCREENSHOTS / "platform-light.png", full_page=True)

    assert before.startswith("€")
    assert number(page, "Conversion").endswith("%")
    assert overflow(page) == 0
    # The stand-in knows one DAG; the others are asked for and not found.
    assert [text for text in problems if "404" not in text] == []


def test_every_range_has_a_chart(visitor: BrowserContext, site: Site) -> None:
    logged_in(visitor, site, "viewer")
    page = opened(visitor, site)
    for name in ("15m", "6h", "24h", "7d", "8w"):
        with page.expect_response(lambda answer, name=name: f"range={name}" in answer.url and answer.ok):
            page.get_by_role("button", name=name).click()
        expect(page.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")
        expect(page.locator("#events canvas")).to_be_visible()


def test_an_alert_is_taken_over_by_keyboard(visitor: BrowserContext, site: Site) -> None:
    logged_in(visitor, site, "admin")
    page = opened(visitor, site)
    alert = page.locator("#alerts li", has_text="dead_letters stands still")
    button = alert.get_by_role("button")
    expect(button).to_be_enabled()
    button.focus()
    page.keyboard.press("Enter")

    expect(alert).to_contain_text("Taken by admin")
    expect(alert.get_by_role("button")).to_have_count(0)
    expect(page.locator("#alerts li", has_text="91 % full").get_by_role("button")).to_be_enabled()


def test_a_dag_is_triggered_after_a_question(visitor: BrowserContext, site: Site) -> None:
    logged_in(visitor, site, "admin")
    page = opened(visitor, site)
    page.get_by_role("button", name="Restart speed layer").click()
    page.get_by_role("button", name="Trigger").click()

    expect(page.locator("#toast")).to_contain_text("Triggered: manual__")
    runs = httpx.get(
        f"{site.url}/api/v2/dags/speed_layer/dagRuns",
        headers={"Authorization": f"Bearer {site.token('admin')}"},
        timeout=20,
    ).json()["dag_runs"]
    assert [run["conf"] for run in runs] == [{"action": "restart"}]


def test_a_report_is_read_from_the_page(visitor: BrowserContext, site: Site) -> None:
    logged_in(visitor, site, "viewer")
    page = opened(visitor, site)
    with visitor.expect_page() as opening:
        page.get_by_role("link", name="daily report").click()
    report = opening.value
    problems: list[str] = []
    report.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    report.reload()

    expect(report.get_by_role("heading", level=1)).to_contain_text("Daily report: ")
    expect(report.get_by_role("img", name="Revenue in EUR")).to_be_visible()
    assert overflow(report) == 0
    report.screenshot(path=SCREENSHOTS / "report.png", full_page=True)
    report.set_viewport_size({"width": 390, "height": 844})
    assert overflow(report) == 0
    assert problems == []


def test_a_viewer_may_look_and_not_act(visitor: BrowserContext, site: Site) -> None:
    logged_in(visitor, site, "viewer")
    page = opened(visitor, site)

    expect(page.locator("#actions-note")).to_have_text("Your role may look, not act.")
    expect(page.get_by_role("button", name="Restart speed layer")).to_be_disabled()
    expect(page.locator("#alerts li", has_text="91 % full").get_by_role("button")).to_be_disabled()


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 390), ("dark", 1440)])
def test_it_fits_a_phone_and_a_dark_room(visitor: BrowserContext, site: Site, scheme: str, width: int) -> None:
    logged_in(visitor, site, "admin")
    page = visitor.new_page()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{site.url}/platform/")
    expect(page.locator("#revenue canvas")).to_be_visible()
    page.wait_for_timeout(500)
    page.screenshot(path=SCREENSHOTS / f"platform-{scheme}-{width}.png", full_page=True)

    assert overflow(page) == 0


def test_without_elasticsearch_it_says_so_and_still_shows_alerts(visitor: BrowserContext, site: Site) -> None:
    logged_in(visitor, site, "admin")
    reason = {"problem": "elasticsearch is not available: no answer at http://127.0.0.1:9200", "kpis": None}

    def away(route: object) -> None:
        answer = route.fetch()  # type: ignore[attr-defined]
        known = {name: answer.json()[name] for name in ("now", "range", "bucket_seconds", "streams", "alerts")}
        route.fulfill(json=known | reason)  # type: ignore[attr-defined]

    page = visitor.new_page()
    page.route("**/api/live*", away)
    page.goto(f"{site.url}/platform/")

    expect(page.get_by_role("alert")).to_contain_text("no answer at http://127.0.0.1:9200")
    expect(page.locator(".kpi .value").first).to_have_text("\u2013")
    expect(page.locator("#alerts")).to_contain_text("91 % full")
    page.screenshot(path=SCREENSHOTS / "platform-elasticsearch-away.png", full_page=True)
