"""What people do: switch the theme, sort and filter, send a link, go back, open a row, use a phone and a keyboard."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.federation import RTL_TOPIC, SCRIPT_ROOM
from tests.e2e.test_pages import shot, violations
from tests.e2e.visitor import Visitor, visiting

pytestmark = pytest.mark.browser


def column(page: Page, name: str) -> list[str]:
    """The texts of one column, from the first row on."""
    cells = page.locator(f'.ag-center-cols-container [col-id="{name}"]')
    rows = page.locator(".ag-center-cols-container .ag-row")
    order = [int(row.get_attribute("row-index") or 0) for row in rows.all()]
    return [text for _, text in sorted(zip(order, cells.all_inner_texts(), strict=True))]


def count(visitor: Visitor) -> str:
    return visitor.page.locator("[role=status].numbers").inner_text()


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).or_(page.get_by_label(label)).first.click()
    page.get_by_role("option", name=option, exact=True).click()


def test_the_theme_is_switched_remembered_and_drawn_first(browser: Browser, site: str) -> None:
    with visiting(browser, site, scheme="light") as visitor:
        visitor.open("/")
        page = visitor.page
        bar = page.locator("#funnel .bars path").first
        light = bar.evaluate("bar => getComputedStyle(bar).fill")
        page.get_by_role("button", name="Switch between light and dark").click()
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
        expect(bar).not_to_have_css("fill", light)
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 20, 25)"
        # Before any of Dash's scripts has run, the remembered theme is on the page.
        page.route("**/_dash-component-suites/**", lambda route: route.abort())
        page.goto(f"{site}/about")
        assert page.locator("html").get_attribute("data-mantine-color-scheme") == "dark"
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 20, 25)"
        page.unroute_all()
        visitor.complaints.clear()
        assert page.locator("html").get_attribute("data-mantine-color-scheme") == "dark"
        assert visitor.complaints == []


def test_the_table_sorts_over_all_rows(browser: Browser, site: str) -> None:
    with visiting(browser, site) as visitor:
        visitor.open("/servers")
        page = visitor.page
        page.locator('.ag-header-cell[col-id="rooms"]').click()
        expect(page).to_have_url(re.compile(r"sort=rooms$"))
        page.locator('.ag-header-cell[col-id="rooms"]').click()
        expect(page).to_have_url(re.compile(r"sort=-rooms$"))
        expect(page.locator('.ag-header-cell[col-id="rooms"]')).to_have_attribute("aria-sort", "descending")
        expect(page.locator('.ag-center-cols-container [row-index="0"] [col-id="rooms"]')).to_have_text("130")
        numbers = [int(text) for text in column(page, "rooms") if text]
        assert numbers == sorted(numbers, reverse=True)
        assert visitor.complaints == []


def test_filters_narrow_the_table_and_stand_in_the_address(browser: Browser, site: str) -> None:
    with visiting(browser, site) as visitor:
        visitor.open("/servers")
        page = visitor.page
        assert count(visitor) == "1 to 50 of 260 servers"
        choose(page, "State", "not online")
        expect(page).to_have_url(re.compile(r"/servers\?stage=not-online$"))
        assert all("federating" not in text for text in column(page, "stage"))
        page.get_by_label("Name contains").fill("chat1")
        expect(page).to_have_url(re.compile(r"/servers\?q=chat1&stage=not-online$"))
        expect(page.locator('.ag-center-cols-container [row-index="0"] [col-id="name"]')).to_contain_text("chat1")
        assert all("chat1" in text for text in column(page, "name"))
        page.get_by_label("Name contains").fill("no such server")
        expect(page.locator("[role=status].numbers")).to_have_text("No server fits.")
        assert visitor.complaints == []


def test_a_link_brings_back_what_its_sender_saw(browser: Browser, site: str) -> None:
    with visiting(browser, site) as sender, visiting(browser, site) as colleague:
        sender.open("/servers")
        choose(sender.page, "State", "online")
        expect(sender.page).to_have_url(re.compile("stage=online"))
        sender.page.locator('.ag-header-cell[col-id="software"]').click()
        expect(sender.page).to_have_url(re.compile("sort=software"))
        sender.page.get_by_role("button", name="2", exact=True).click()
        expect(sender.page).to_have_url(re.compile("page=2"))
        colleague.open(sender.address())
        assert count(colleague) == count(sender) == "51 to 100 of 153 servers"
        assert colleague.page.get_by_label("State").first.input_value() == "online"
        expect(colleague.page.locator('.ag-header-cell[col-id="software"]')).to_have_attribute("aria-sort", "ascending")
        for row in range(10):
            cell = f'.ag-center-cols-container [row-index="{row}"] [col-id="name"]'
            expect(sender.page.locator(cell)).to_have_text(colleague.page.locator(cell).inner_text())
        assert sender.complaints == colleague.complaints == []


def test_back_restores_the_view_before(browser: Browser, site: str) -> None:
    with visiting(browser, site) as visitor:
        visitor.open("/servers?stage=listing")
        listing = count(visitor)
        choose(visitor.page, "State", "not online")
        expect(visitor.page).to_have_url(re.compile("stage=not-online"))
        expect(visitor.page.locator("[role=status].numbers")).not_to_have_text(listing)
        visitor.page.locator('.ag-center-cols-container [row-index="0"] a').click()
        expect(visitor.page).to_have_url(re.compile(r"/servers/[^?]+$"))
        visitor.page.go_back()
        expect(visitor.page).to_have_url(re.compile("stage=not-online"))
        visitor.page.go_back()
        expect(visitor.page.locator("[role=status].numbers")).to_have_text(listing)
        assert visitor.complaints == []


def test_a_row_opens_its_server(browser: Browser, site: str) -> None:
    with visiting(browser, site) as visitor:
        visitor.open("/servers?q=matrix.example")
        visitor.page.locator('.ag-center-cols-container [row-index="0"] [col-id="software"]').click()
        expect(visitor.page.locator("main h1")).to_have_text("matrix.example")
        expect(visitor.page).to_have_title("matrix.example · Matrix Census")
        assert visitor.page.evaluate("document.activeElement.tagName") == "H1"
        assert visitor.complaints == []


def test_hostile_room_texts_stay_text(browser: Browser, site: str) -> None:
    with visiting(browser, site) as visitor:
        visitor.open("/rooms?q=%3Cimg&noise=shown")
        page = visitor.page
        assert column(page, "name")[0].splitlines()[0] == SCRIPT_ROOM
        assert page.locator("main img").count() == 0
        assert page.locator("main script").count() == 0
        visitor.open("/rooms?q=Right+to+left&noise=shown")
        shown = column(page, "name")[0]
        assert "gnitirw neddih" in shown
        overrides = {character for character in RTL_TOPIC if "\u202a" <= character <= "\u202e" or character >= "\u2066"}
        assert overrides
        assert not overrides & set(shown)
        # Whatever direction a text takes, its neighbours stay where they are.
        cells = page.locator('.ag-center-cols-container [row-index="0"] .ag-cell')
        places = [box["x"] for box in (cell.bounding_box() for cell in cells.all()) if box]
        assert places == sorted(places)
        assert visitor.complaints == []


def test_hostile_software_names_stay_text_in_the_chart(browser: Browser, site: str) -> None:
    with visiting(browser, site) as visitor:
        visitor.open("/")
        labels = visitor.page.locator("#implementations .ytick text").all_text_contents()
        assert any("<b>bold</b>" in label for label in labels)
        assert visitor.page.locator("#implementations .ytick tspan").count() == 0
        assert visitor.complaints == []


def test_the_drawer_holds_the_pages_on_a_phone(browser: Browser, site: str) -> None:
    with visiting(browser, site, width=390) as visitor:
        visitor.open("/")
        page = visitor.page
        assert not page.locator(".side").is_visible()
        page.get_by_role("button", name="Menu").click()
        drawer = page.get_by_role("dialog")
        expect(drawer.get_by_role("link", name="Overview")).to_be_visible()
        drawer.get_by_role("link", name="Browse").click()
        expect(page.locator("main h1")).to_have_text("Public rooms")
        expect(drawer).to_be_hidden()
        assert visitor.complaints == []


def test_a_phone_shows_whole_states_and_a_row_that_opens(browser: Browser, site: str) -> None:
    with visiting(browser, site, width=390) as visitor:
        visitor.open("/servers")
        expect(visitor.page.locator(".ag-header-cell:visible")).to_have_count(2)
        cut = "cells => cells.filter(cell => cell.scrollWidth > cell.clientWidth).length"
        assert visitor.page.locator(".ag-cell:has(.state)").evaluate_all(cut) == 0
        visitor.page.locator('.ag-center-cols-container [row-index="1"] [col-id="stage"]').click()
        expect(visitor.page).to_have_url(re.compile(r"/servers/.+"))
        assert visitor.complaints == []


def test_the_search_box_finds_servers(browser: Browser, site: str) -> None:
    with visiting(browser, site) as visitor:
        visitor.open("/")
        box = visitor.page.get_by_label("Find a server by its name")
        box.fill("2001:db8")
        box.press("Enter")
        expect(visitor.page).to_have_url(re.compile(r"/servers\?q=2001%3Adb8"))
        expect(visitor.page.locator("main h1")).to_have_text("Servers")
        visitor.settled()
        assert column(visitor.page, "name") == ["[2001:db8::8]:8448"]
        assert visitor.complaints == []


def test_the_keyboard_reaches_the_content_first(browser: Browser, site: str) -> None:
    with visiting(browser, site) as visitor:
        visitor.open("/servers")
        visitor.page.keyboard.press("Tab")
        assert visitor.page.evaluate("document.activeElement.textContent") == "Skip to the content"
        expect(visitor.page.locator(".skip")).to_be_in_viewport()
        assert visitor.complaints == []


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_a_server_can_be_checked_now(browser: Browser, site: str, scheme: str, width: int) -> None:
    """An address that is never dialled: the whole check, without leaving this machine."""
    with visiting(browser, site, scheme=scheme, width=width) as visitor:
        visitor.open("/servers/%5B2001%3Adb8%3A%3A8%5D%3A8448")
        visitor.page.get_by_role("button", name="Check it now").click()
        result = visitor.page.locator("#check-now-result")
        expect(result.locator(".verdict")).to_contain_text("does not federate")
        expect(result).to_contain_text("Not counted, by this look, as online")
        expect(result.locator(".findings li").first).to_contain_text("in place of 2001:db8::8")
        shot(visitor, "check-now", scheme, width)
        assert not visitor.scrolls_sideways()
        assert violations(visitor) == []
        assert visitor.complaints == []


def test_a_missing_server_can_be_submitted(browser: Browser, site: str) -> None:
    with visiting(browser, site) as visitor:
        visitor.open("/servers/missing.example")
        page = visitor.page
        expect(page.get_by_label("Server name", exact=True)).to_have_value("missing.example")
        page.get_by_role("button", name="Submit").click()
        expect(page.get_by_text("missing.example was left for the next census.")).to_be_visible()
        for name, told in (
            ("Matrix.example", "matrix.example is known already: what the census saw of it."),
            ("<b>no name</b>", "Nothing was taken in: "),
        ):
            page.get_by_label("Server name", exact=True).fill(name)
            page.get_by_label("Server name", exact=True).press("Enter")
            expect(page.locator("main [role=status]").get_by_text(told)).to_be_visible()
        assert visitor.complaints == []
