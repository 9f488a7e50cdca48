"""Charts in a browser: what is chosen stands in the address, the picture can be kept, the embedded view is alone."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import ARTIFACTS
from tests.e2e.numbers import differences
from tests.e2e.test_interaction import choose
from tests.e2e.test_pages import violations
from tests.e2e.visitor import visiting

pytestmark = pytest.mark.browser


def points(page: Page, chart: str) -> list[list[float]]:
    """The numbers of the named lines, as the browser holds them."""
    numbers: list[list[float]] = page.evaluate(
        "id => document.querySelector(`#${id} .js-plotly-plot`).data.filter(t => t.name).map(t => t.y)", chart
    )
    return numbers


def test_a_link_to_a_chart_brings_back_what_its_sender_saw(browser: Browser, history_site: str) -> None:
    with visiting(browser, history_site) as sender, visiting(browser, history_site) as colleague:
        sender.open("/growth")
        whole = points(sender.page, "servers-online")
        sender.page.get_by_label("From (UTC)").fill("1 Nov 2026")
        sender.page.get_by_label("From (UTC)").press("Enter")
        expect(sender.page).to_have_url(re.compile(r"/growth\?from=2026-11-01$"))
        choose(sender.page, "Scale", "logarithmic")
        expect(sender.page).to_have_url(re.compile(r"/growth\?from=2026-11-01&scale=log$"))
        # What was used keeps its place and focus.
        expect(sender.page.get_by_label("Scale").first).to_be_focused()
        sender.settled()
        colleague.open(sender.address())
        assert colleague.page.get_by_label("From (UTC)").input_value() == "1 Nov 2026"
        for visitor in (sender, colleague):
            shown = points(visitor.page, "servers-online")
            assert shown != whole
            assert len(shown[0]) == 2
            axis = "document.querySelector('#servers-online .js-plotly-plot').layout.yaxis.type"
            assert visitor.page.evaluate(axis) == "log"
        colleague.page.get_by_role("link", name="all", exact=True).click()
        expect(colleague.page).to_have_url(re.compile(r"/growth\?scale=log$"))
        colleague.page.go_back()
        expect(colleague.page.get_by_label("From (UTC)")).to_have_value("1 Nov 2026")
        assert sender.complaints == colleague.complaints == []


@pytest.mark.parametrize(
    "path", ["/growth?from=2026-11-01", "/software", "/decentralisation", "/signal", "/spec", "/crawls", "/discovery"]
)
def test_what_is_drawn_is_what_the_csv_says(browser: Browser, history_site: str, path: str) -> None:
    with visiting(browser, history_site) as visitor:
        visitor.open(path)
        compared, wrong = differences(visitor)
        assert compared > 1
        assert wrong == []


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_picture_of_a_chart_can_be_kept(browser: Browser, history_site: str, kind: str) -> None:
    with visiting(browser, history_site) as visitor:
        visitor.open("/charts/servers-online")
        with visitor.page.expect_download() as download:
            visitor.page.get_by_role("button", name=kind.upper()).click()
        kept = Path(download.value.path()).read_bytes()
        ARTIFACTS.mkdir(exist_ok=True)
        (ARTIFACTS / f"servers-online.{kind}").write_bytes(kept)
        assert download.value.suggested_filename == f"servers-online.{kind}"
        assert kept.startswith(b"\x89PNG" if kind == "png" else b"<svg")
        if kind == "svg":
            assert b"Servers online" in kept
            assert b"Matrix Census, census-" in kept
        assert visitor.complaints == []


@pytest.mark.parametrize("width", [1440, 390])
def test_an_embedded_chart_is_alone(browser: Browser, history_site: str, width: int) -> None:
    with visiting(browser, history_site, width=width) as visitor:
        visitor.open("/embed/servers-online?scale=log")
        page = visitor.page
        for part in (".side", ".top", ".foot", ".chart-links"):
            expect(page.locator(part).first).to_be_hidden()
        expect(page.locator("#servers-online .scatterlayer .trace").first).to_be_visible()
        expect(page.get_by_role("link", name="whole page")).to_have_attribute(
            "href", "/charts/servers-online?scale=log"
        )
        assert not visitor.scrolls_sideways()
        assert violations(visitor) == []
        assert visitor.complaints == []


def test_on_a_narrow_screen_the_lines_are_named_above(browser: Browser, history_site: str) -> None:
    with visiting(browser, history_site, width=390) as visitor:
        visitor.open("/charts/servers-online")
        page = visitor.page
        expect(page.locator(".key")).to_contain_text("federating")
        expect(page.locator(".key")).to_be_visible()
        expect(page.locator("#servers-online .annotation")).to_have_count(0)
        page.set_viewport_size({"width": 1200, "height": 900})
        expect(page.locator("#servers-online .annotation")).to_have_count(3)
        expect(page.locator(".key")).to_be_hidden()
        assert visitor.complaints == []
