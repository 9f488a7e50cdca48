"""A visitor of the dashboard: opens pages, and remembers everything that a good page does not do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, expect

LOAD_MS = 30_000
"""Two cores may be shared with everything else that runs."""

DRAWN = ".dash-graph:has(.trace, .sankey-node, .choroplethlayer path, .heatmaplayer .hm)"
"""Charts that have come as far as their bars, lines, flows or countries."""

expect.set_options(timeout=LOAD_MS)


@dataclass
class Visitor:
    """One browser context with one page."""

    site: str
    page: Page
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Load an address as somebody who was sent it, and wait until the page is drawn."""
        self.page.goto(self.site + path)
        self.settled()

    def settled(self) -> None:
        """Wait until the page that is asked for is drawn: its heading, its charts, its table."""
        page = self.page
        page.wait_for_selector("#page h1", timeout=LOAD_MS)
        page.wait_for_load_state("networkidle", timeout=LOAD_MS)
        expect(page.locator(DRAWN)).to_have_count(page.locator(".dash-graph").count())
        if page.locator(".grid").count():
            page.wait_for_selector(".ag-row, .ag-overlay-no-rows-center", timeout=LOAD_MS)

    def heading(self) -> str:
        return self.page.locator("#page h1").inner_text()

    def address(self) -> str:
        """Path and query in the address bar."""
        return self.page.url.removeprefix(self.site)

    def scrolls_sideways(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@contextmanager
def visiting(browser: Browser, site: str, *, scheme: str = "light", width: int = 1440) -> Iterator[Visitor]:
    """A fresh visitor whose system wears `scheme`."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    visitor = Visitor(site, page)
    home = urlsplit(site).netloc

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            visitor.complaints.append(f"console {message.type}: {message.text}")

    def on_request(request: Request) -> None:
        asked = urlsplit(request.url)
        if asked.scheme not in ("data", "blob") and asked.netloc != home:
            visitor.complaints.append(f"request to another host: {request.url}")

    def on_dialog(dialog: Dialog) -> None:
        visitor.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("console", on_console)
    page.on("request", on_request)
    page.on("pageerror", lambda error: visitor.complaints.append(f"uncaught: {error}"))
    page.on("dialog", on_dialog)
    try:
        yield visitor
    finally:
        context.close()
