"""Every page in both themes, wide and narrow: quiet console, no other host, no sideways scroll, accessible. Screenshots
of each go to test-artifacts/, to be looked at."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.dashboard.federation import publish, write_census
from tests.e2e.conftest import ARTIFACTS, serving
from tests.e2e.visitor import Visitor, visiting

pytestmark = pytest.mark.browser

PAGES = {
    "/": "Overview",
    "/servers": "Servers",
    "/servers/matrix.example": "matrix.example",
    "/servers/%5B2001%3Adb8%3A%3A8%5D%3A8448": "[2001:db8::8]:8448",
    "/servers/unvisited1.example": "unvisited1.example",
    "/servers/never-heard-of.example": "Not in this census",
    "/rooms": "Public rooms",
    "/about": "About",
    "/admins": "For server admins",
}
OF_CHARTS = {
    "/growth": "Growth",
    "/software": "Software",
    "/decentralisation": "Decentralisation",
    "/bridges": "Bridges",
    "/discovery": "Discovery",
    "/signal": "Signal",
    "/spec": "Spec",
    "/developers": "Developers",
    "/crawls": "Crawl health",
    "/data": "Data",
    "/methods": "Methods",
    "/charts/countries": "Online servers by country of their address",
    "/rooms/!rtl%3Amatrix.example": "Right to left",
}
SERIOUS = {"serious", "critical"}


def shot(visitor: Visitor, path: str, scheme: str, width: int) -> None:
    name = re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-") or "overview"
    ARTIFACTS.mkdir(exist_ok=True)
    visitor.page.screenshot(path=ARTIFACTS / f"{name}-{scheme}-{width}.png", full_page=True)


def violations(visitor: Visitor) -> list[str]:
    """What axe-core calls serious or critical, with where it is."""
    found = Axe().run(visitor.page).response["violations"]
    return [
        f"{rule['id']}: {node['target']} {node.get('failureSummary', '')}"
        for rule in found
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_drawn_without_a_complaint(browser: Browser, site: str, scheme: str, width: int) -> None:
    with visiting(browser, site, scheme=scheme, width=width) as visitor:
        for path, heading in PAGES.items():
            visitor.open(path)
            assert visitor.heading() == heading
            assert visitor.page.locator("main h1").count() == 1
            assert visitor.page.locator("html").get_attribute("data-mantine-color-scheme") == scheme
            label = visitor.page.locator(".census-line .synthetic")
            assert "Synthetic: practice servers" in label.inner_text()
            assert label.is_visible()
            shot(visitor, path, scheme, width)
            assert not visitor.scrolls_sideways(), path
            assert violations(visitor) == [], path
            assert visitor.complaints == [], path


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_every_page_of_charts_is_drawn_without_a_complaint(
    browser: Browser, history_site: str, scheme: str, width: int
) -> None:
    with visiting(browser, history_site, scheme=scheme, width=width) as visitor:
        for path, heading in OF_CHARTS.items():
            visitor.open(path)
            assert visitor.heading() == heading
            shot(visitor, path, scheme, width)
            assert not visitor.scrolls_sideways(), path
            assert violations(visitor) == [], path
            assert visitor.complaints == [], path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_before_the_first_census_the_page_says_what_fills_it(browser: Browser, empty_site: str, scheme: str) -> None:
    with visiting(browser, empty_site, scheme=scheme) as visitor:
        visitor.open("/")
        assert visitor.heading() == "No census yet"
        assert "matrix-census crawl --contact" in visitor.page.locator("main").inner_text()
        assert "Synthetic" not in visitor.page.locator("body").inner_text()
        shot(visitor, "empty", scheme, 1440)
        assert violations(visitor) == []
        visitor.page.get_by_role("link", name="About").click()
        expect(visitor.page.locator("main h1")).to_have_text("About")
        assert visitor.complaints == []


def test_a_census_published_meanwhile_is_shown_without_a_restart(browser: Browser, tmp_path: Path) -> None:
    census = tmp_path / "census.duckdb"
    with serving(census) as site, visiting(browser, site) as visitor:
        visitor.open("/")
        assert visitor.heading() == "No census yet"
        write_census(census, servers=12, synthetic=False)
        publish(census)
        visitor.page.get_by_role("link", name="Servers").click()
        expect(visitor.page.locator("[role=status].numbers")).to_have_text("1 to 12 of 12 servers")
        line = visitor.page.locator(".census-line").inner_text()
        assert "of 15 known servers visited" in line
        assert "Synthetic" not in line
        assert visitor.complaints == []


def test_an_unknown_address_is_404_and_leads_back(browser: Browser, site: str) -> None:
    with visiting(browser, site) as visitor:
        answer = visitor.page.goto(f"{site}/nowhere")
        assert answer is not None
        assert answer.status == 404
        visitor.settled()
        assert visitor.heading() == "There is no such page"
        visitor.page.get_by_role("link", name="Go to the overview").click()
        expect(visitor.page.locator("main h1")).to_have_text("Overview")
        # The browser itself reports the status of the document.
        assert [c for c in visitor.complaints if "404" not in c] == []
