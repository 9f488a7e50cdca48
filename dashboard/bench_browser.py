"""The first page in a real Chromium, as `bench dashboard` times it, and where a Chromium is.

Playwright is for those who work on this; who has only what runs the census is told what is missing.
"""

import os
import shutil
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

CANDIDATES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic", "--no-first-run")

_LOOKS = 5
_PATIENCE_MS = 60_000
_HEADLINE = ".card .value"
_SHARED = ("/_dash-component-suites/", "/assets/", "/_dash-layout", "/_dash-dependencies", "/_favicon")


class NoBrowserError(Exception):
    """There is no browser to look with; says what is missing."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What a browser found: milliseconds from navigation to the headline number, the median of five cold caches; and
    kilobytes (1,000 bytes, as sent) of what any page needs and is fetched once, the document of a page among them."""

    headline_ms: float
    shared_kb: float


def find_chromium() -> str | None:
    """The path of a Chromium that is installed, None if there is none.

    Raises:
        NoBrowserError: Playwright is not installed.
    """
    named = os.environ.get("MATRIX_CENSUS_CHROMIUM")
    if named:
        return named if Path(named).is_file() else None
    for name in CANDIDATES:
        path = shutil.which(name)
        if path is not None:
            return path
    return _playwrights_own()


def _playwrights_own() -> str | None:
    try:
        from playwright.sync_api import sync_playwright  # a tool of those who work on this
    except ImportError:
        raise NoBrowserError("Playwright is not installed: make setup-dev") from None
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def look(site: str, paths: Iterable[str]) -> Looks:
    """Open the overview as somebody who was never there, and each of `paths` once for what they share.

    Args:
        site: Address of the dashboard.
        paths: Pages.

    Raises:
        NoBrowserError: there is no Playwright, or no Chromium.
    """
    chromium = find_chromium()
    try:
        from playwright.sync_api import Page, sync_playwright
    except ImportError:
        raise NoBrowserError("Playwright is not installed: make setup-dev") from None
    if chromium is None:
        raise NoBrowserError("no Chromium: run make browser-engine, or name one in MATRIX_CENSUS_CHROMIUM")

    def headline_ms(page: Page) -> float:
        began = time.perf_counter()
        page.goto(f"{site}/", wait_until="commit")
        page.wait_for_selector(_HEADLINE, state="visible", timeout=_PATIENCE_MS)
        return (time.perf_counter() - began) * 1000

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        try:
            times = []
            for _ in range(_LOOKS):
                context = browser.new_context()  # with a cache of its own, and nothing in it
                times.append(headline_ms(context.new_page()))
                context.close()
            page = browser.new_context().new_page()
            sent: dict[str, int] = {}

            def on_finished(path: str, size_bytes: int) -> None:
                if path.startswith(_SHARED):
                    sent[path] = max(size_bytes, sent.get(path, 0))  # from its cache it is nothing

            page.on(
                "requestfinished",
                lambda request: on_finished(urlsplit(request.url).path, request.sizes()["responseBodySize"]),
            )
            for path in paths:
                page.goto(site + path)
                page.wait_for_selector("#page h1", timeout=_PATIENCE_MS)
                page.wait_for_load_state("networkidle", timeout=_PATIENCE_MS)
            document = page.request.get(f"{site}/")
            document_bytes = int(document.headers.get("content-length", "0"))
        finally:
            browser.close()
    return Looks(round(statistics.median(times), 1), round((sum(sent.values()) + document_bytes) / 1000, 1))
