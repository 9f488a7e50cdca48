"""The picker of an earlier census in a browser: chosen by its day, kept while one goes about, left again."""

from playwright.sync_api import Browser, expect

from tests.e2e.visitor import visiting


def test_an_earlier_census_is_chosen_kept_and_left(browser: Browser, history_site: str) -> None:
    with visiting(browser, history_site) as visitor:
        page = visitor.page
        visitor.open("/growth?scale=log")
        picker = page.get_by_role("textbox", name="Show the census of an earlier day")
        picker.fill("15 Nov 2026")
        picker.press("Enter")
        banner = page.locator("main .banner")
        expect(banner).to_contain_text("You look at the census of 15 Nov 2026, 03:10 UTC")
        assert visitor.address() == "/growth?scale=log&at=2026-11-15"
        visitor.settled()

        page.get_by_role("link", name="Servers", exact=True).click()
        expect(page.locator("main h1")).to_have_text("Servers")
        visitor.settled()
        assert visitor.address() == "/servers?at=2"
        expect(page.locator("#servers-count")).to_contain_text("of 50 servers")
        page.locator("#search").fill("a")
        page.locator("#search").press("Enter")
        expect(page).to_have_url(f"{history_site}/servers?q=a&at=2")
        page.locator(".ag-header-cell", has_text="Software").click()
        expect(page).to_have_url(f"{history_site}/servers?q=a&sort=software&at=2")
        visitor.settled()

        visitor.open(visitor.address())
        expect(picker).to_have_value("15 Nov 2026")
        page.get_by_role("link", name="Back to the newest").click()
        expect(banner).to_have_count(0)
        assert visitor.address() == "/servers?q=a&sort=software"
        assert visitor.complaints == []
