"""The Platform page over eight weeks of data: how long it takes to open, to change its range, and to refresh."""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from elasticsearch import Elasticsearch
from playwright.sync_api import Browser, Page, sync_playwright

from include.config import Settings
from include.handover.batch_indices import batch_index
from include.names import Alias
from include.serving.aliases import create_index
from include.serving.bulk import Document, bulk_writer
from include.serving.client import connect
from tests.browser.conftest import CHROMIUM
from tests.browser.served_page import Site, filled_search, logged_in, served
from tests.browser.shop_in_use import metric
from tests.performance import report

_RANGES: Final = ("15m", "6h", "24h", "7d", "8w")
_WINDOW: Final = timedelta(seconds=10)
_TOGETHER: Final = 5_000
_NUMBERS_ARE_THERE: Final = "() => [...document.querySelectorAll('.kpi .value')].some(e => /[0-9]/.test(e.textContent))"


def _day(day: datetime, values: int) -> Iterator[Document]:
    """A day's documents: each window's totals in two currencies, and further values of a dimension."""
    action = '{"index":{}}'
    window = day
    while window < day + timedelta(days=1):
        totals = metric(window, window, "EUR", events=40, orders=6, items=12, revenue_minor=37_902) | {"layer": "batch"}
        yield Document(action, json.dumps(totals))
        yield Document(action, json.dumps(totals | {"currency": None, "events": 480, "orders": 0, "revenue_minor": 0}))
        for number in range(values):
            yield Document(action, json.dumps(totals | {"dimension": "category", "value": f"c-{number}"}))
        window += _WINDOW


def fill(settings: Settings, client: Elasticsearch, weeks: int, values: int) -> int:
    """Put weeks of documents behind the alias, as handovers would, a day an index; returns how many."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    writer = bulk_writer(settings)
    written = 0
    for back in range(1, weeks * 7 + 1):
        day = today - timedelta(days=back)
        index = batch_index(day.date().isoformat(), "000001")
        create_index(client, index, behind=Alias.METRICS)
        documents = _day(day, values)
        while batch := list(islice(documents, _TOGETHER)):
            written += writer.send(index, batch).written
    writer.close()
    client.indices.refresh(index=Alias.METRICS)
    return written


def _opening(browser: Browser, site: Site, times: int) -> list[float]:
    """Milliseconds until a visitor with an empty cache sees the first numbers."""
    found = []
    for _ in range(times):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        logged_in(context, site, "viewer")
        page = context.new_page()
        begun = time.monotonic()
        page.goto(f"{site.url}/platform/", wait_until="commit")
        page.wait_for_function(_NUMBERS_ARE_THERE, polling=10)
        found.append((time.monotonic() - begun) * 1000)
        context.close()
    return found


def _changing(page: Page, name: str, times: int) -> list[float]:
    """Milliseconds from a click on a range to its answer."""
    found = []
    for _ in range(times):
        page.get_by_role("button", name="15m" if name != "15m" else "6h").click()
        page.wait_for_timeout(2500)
        begun = time.monotonic()
        with page.expect_response(lambda answer: f"range={name}" in answer.url and answer.ok):
            page.get_by_role("button", name=name).click()
        found.append((time.monotonic() - begun) * 1000)
    return found


def _refreshing(page: Page, seconds: float) -> list[float]:
    """Milliseconds that each of the page's own refreshes took, from its request to its answer."""
    found: list[float] = []
    page.on(
        "requestfinished",
        lambda request: found.append(request.timing["responseEnd"]) if "range=" in request.url else None,
    )
    page.wait_for_timeout(seconds * 1000)
    return found


def measure(weeks: int, values: int, times: int, seconds: float) -> dict[str, Any]:
    """Fill, then look with a real browser."""
    with filled_search() as settings:
        with connect(settings, timeout_seconds=60) as client:
            documents = fill(settings, client, weeks, values)
        with served(settings) as site, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            _opening(browser, site, 2)  # the server's own first time
            opening = _opening(browser, site, times)
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            logged_in(context, site, "viewer")
            page = context.new_page()
            page.goto(f"{site.url}/platform/")
            page.wait_for_function(_NUMBERS_ARE_THERE)
            changing = {name: report.percentiles(_changing(page, name, max(3, times // 4))) for name in _RANGES}
            page.get_by_role("button", name="8w").click()
            refreshing = _refreshing(page, seconds)
            browser.close()
    return {
        "documents": documents,
        "open_ms": report.percentiles(opening),
        "change_ms": changing,
        "refresh_ms": report.percentiles(refreshing),
        "refreshes_per_second": round(len(refreshing) / seconds, 2),
    }


def main(arguments: Sequence[str]) -> int:
    """Run the bench and write its report."""
    parser = argparse.ArgumentParser(prog="./run.sh bench page", description=__doc__)
    parser.add_argument("--weeks", type=int, default=8, help="how much history")
    parser.add_argument("--values", type=int, default=6, help="documents of other dimensions in each ten seconds")
    parser.add_argument("--times", type=int, default=20, help="how often the page is opened")
    parser.add_argument("--seconds", type=float, default=60, help="how long its refreshes are watched")
    options = parser.parse_args(arguments)
    result = measure(options.weeks, options.values, options.times, options.seconds)
    rows = [["open, empty cache", *_three(result["open_ms"])]]
    rows += [[f"change to {name}", *_three(found)] for name, found in result["change_ms"].items()]
    rows += [["refresh of 8w", *_three(result["refresh_ms"])]]
    report.show(f"The page over {result['documents']:,} documents, ms", ["", "p50", "p95", "p99"], rows)
    sys.stdout.write(f"{report.write('page', result)}\n")
    return 0


def _three(percentiles: dict[str, float | None]) -> list[float | None]:
    return [percentiles[name] for name in ("p50", "p95", "p99")]
