"""Below the path of a proxy, in a browser: nothing is asked of the host outside it, and everything still works."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import serving
from tests.e2e.visitor import visiting

PREFIX = "/census"


@pytest.fixture(scope="module")
def prefixed_site(census: Path) -> Iterator[str]:
    with serving(census, "--root-path", PREFIX) as address:
        yield address + PREFIX


def test_nothing_is_asked_outside_the_prefix(browser: Browser, prefixed_site: str) -> None:
    asked: list[str] = []
    with visiting(browser, prefixed_site, scheme="dark") as visitor:
        page = visitor.page
        page.on("request", lambda request: asked.append(request.url))
        visitor.open("/")
        page.get_by_role("link", name="Decentralisation").click()
        expect(page.locator("main h1")).to_have_text("Decentralisation")
        visitor.settled()
        assert visitor.address() == "/decentralisation"

        page.locator("#search").fill("a")
        page.locator("#search").press("Enter")
        expect(page.locator("main h1")).to_have_text("Servers")
        visitor.settled()
        assert visitor.address() == "/servers?q=a"
        page.locator(".ag-row").first.click()
        expect(page.get_by_role("button", name="Check it now")).to_be_visible()
        assert visitor.address().startswith("/servers/")

        page.locator("#theme-button").click()
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "light")
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "light")
        assert [cookie["path"] for cookie in page.context.cookies()] == [PREFIX]
        visitor.settled()
        assert visitor.complaints == []
    paths = [urlsplit(url).path for url in asked if not url.startswith(("data:", "blob:"))]
    assert len(paths) > 20
    assert [path for path in paths if not path.startswith(f"{PREFIX}/")] == []
