"""A page on paper: light, without navigation, charts as wide as the paper, tables whole, with its address."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.visitor import visiting

PAPER_PX = 688
"""A4 without its margins, at 96 px an inch."""


def print_media(page: Page) -> None:
    """What the browser does when it prints: the event, then the media; the paper is as wide as paper."""
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PAPER_PX, "height": 1000})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_of_charts_on_paper(browser: Browser, history_site: str, scheme: str) -> None:
    with visiting(browser, history_site, scheme=scheme) as visitor:
        page = visitor.page
        visitor.open("/decentralisation")
        width = page.locator(".main-svg").first.bounding_box()
        print_media(page)
        for hidden in (".side", ".search", ".picker", ".filters", ".chart-links", ".foot"):
            expect(page.locator(hidden).first).to_be_hidden()
        expect(page.locator("#print-address")).to_have_text(f"{history_site}/decentralisation")
        expect(page.locator(".top .print-only")).to_contain_text("snapshot census-")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        line = page.locator(".scatterlayer .js-line").first
        assert line.evaluate("line => getComputedStyle(line).stroke") == "rgb(0, 114, 178)", (
            "the light hue of the first"
        )
        assert not visitor.scrolls_sideways()
        for box in page.locator(".main-svg").all():
            assert (box.bounding_box() or {"width": 0})["width"] <= PAPER_PX
        assert page.locator("main details[open]").count() > 1

        page.emulate_media(media="screen")
        page.set_viewport_size({"width": 1440, "height": 900})
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        visitor.settled()
        assert page.locator("[data-opened-to-print]").count() == 0
        expect(page.locator(".side")).to_be_visible()
        now = page.locator(".main-svg").first.bounding_box()
        assert now is not None
        assert width is not None
        assert now["width"] == pytest.approx(width["width"], abs=2)
        assert visitor.complaints == []


def test_a_large_table_on_paper_has_every_row_of_its_page(browser: Browser, site: str) -> None:
    with visiting(browser, site) as visitor:
        page = visitor.page
        visitor.open("/servers")
        print_media(page)
        expect(page.locator(".grid").first).to_be_hidden()
        assert page.locator(".print-table tbody tr").count() == 50
        assert page.locator(".print-table thead th").count() == 6
        assert not visitor.scrolls_sideways()
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        expect(page.locator(".print-table")).to_have_count(0)
        assert visitor.complaints == []
