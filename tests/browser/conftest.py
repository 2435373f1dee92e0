"""A started Airflow API server, an Elasticsearch filled with literal documents, and Debian's Chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from include.config import PROJECT_ROOT, Settings
from include.errors import PrerequisiteError
from tests.browser.served_page import Site, filled_search, served

CHROMIUM = Path("/usr/bin/chromium")
SCREENSHOTS = PROJECT_ROOT / "reports" / "screenshots"


@pytest.fixture(scope="session")
def search() -> Iterator[Settings]:
    with filled_search() as settings:
        yield settings


@pytest.fixture(scope="session")
def site(search: Settings) -> Iterator[Site]:
    with served(search) as started:
        yield started


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        raise PrerequisiteError(f"{CHROMIUM} is missing: install it with apt-get install chromium")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody with a browser who is not logged in."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="UTC", locale="en-GB")
    context.set_default_timeout(15_000)
    yield context
    context.close()
