"""Pages on a rehearsed federation: every one on a year of 5,000 servers in the long form (`make endurance`), which
takes a quarter of an hour to make; those with the most numbers on some days of a few in every run (`test_pages` has
every page there). MATRIX_CENSUS_REHEARSED may name one that was made and published before.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from crawler.store.reader import SnapshotReader
from dashboard import routing
from dashboard.charts.catalogue import CHARTS
from dashboard.pages.rooms import room_path
from dashboard.pages.servers import server_path
from tests.e2e.conftest import serving
from tests.e2e.numbers import differences
from tests.e2e.test_interaction import column, count
from tests.e2e.test_pages import shot, violations
from tests.e2e.visitor import Visitor, visiting
from tests.endurance import MOMENTS, VARIABLE

pytestmark = pytest.mark.browser

LONG = bool(os.environ.get(VARIABLE))
MADE_BEFORE = os.environ.get("MATRIX_CENSUS_REHEARSED")
DAYS, SERVERS = (365, 5_000) if LONG else (4, 60)
LOOKS = [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)] if LONG else [("dark", 1440)]
FEW_PAGES = ("/", "/growth", "/bridges")
LONGEST_S = 2.5 * 3600


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if LONG and MADE_BEFORE:
        return Path(MADE_BEFORE)
    census = tmp_path_factory.mktemp("rehearsed") / "census.duckdb"
    command = [sys.executable, "-m", "matrix_census", "rehearse", "--days", str(DAYS), "--servers", str(SERVERS)]
    subprocess.run([*command, "--db", str(census), "--publish"], check=True, timeout=LONGEST_S)
    return census


@pytest.fixture(scope="module")
def rehearsed_site(rehearsed: Path) -> Iterator[str]:
    with serving(rehearsed) as site:
        yield site


def every_page(census: Path) -> list[str]:
    """Each page of the list; of those with an argument the largest, and one that is not online."""
    with SnapshotReader.open(census) as reader:
        newest = reader.latest_census()
        assert newest is not None
        busiest = reader.servers_page(newest.id, sort="directory_rooms", descending=True, limit=1).rows
        silent = reader.servers_page(newest.id, predicates={"online": False}, limit=1).rows
        largest = reader.rooms_page(newest.id, limit=1).rows
    plain = [page.path for page in routing.PAGES if "{" not in page.path]
    of_one = [*(server_path(row.server_name) for row in (*busiest, *silent)), *(room_path(r.room_id) for r in largest)]
    return [*plain, *of_one, *(f"/charts/{name}" for name in CHARTS if LONG), "/embed/servers-online"]


def look_at_every_page(visitor: Visitor, pages: list[str], scheme: str, width: int) -> int:
    """Open each page as somebody who was sent it.

    Returns:
        How many charts were held against their CSV.
    """
    compared = 0
    for path in pages:
        visitor.open(path)
        shot(visitor, f"rehearsed-{path}", scheme, width)
        assert visitor.page.locator("main h1").count() == 1, path
        assert visitor.heading() != "This page could not be made", path
        assert not visitor.scrolls_sideways(), path
        assert violations(visitor) == [], path
        charts, wrong = differences(visitor)
        assert wrong == [], path
        assert visitor.complaints == [], path
        compared += charts
    return compared


@pytest.mark.endurance
@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_every_page_of_a_rehearsed_federation(
    browser: Browser,
    rehearsed: Path,
    rehearsed_site: str,
    record_property: Callable[[str, object], None],
    scheme: str,
    width: int,
) -> None:
    pages = every_page(rehearsed) if LONG else list(FEW_PAGES)
    record_property(MOMENTS, len(pages))
    with visiting(browser, rehearsed_site, scheme=scheme, width=width) as visitor:
        assert look_at_every_page(visitor, pages, scheme, width) > 15


@pytest.mark.endurance
def test_its_table_is_sorted_and_filtered_and_sent(browser: Browser, rehearsed_site: str) -> None:
    with visiting(browser, rehearsed_site) as sender, visiting(browser, rehearsed_site) as colleague:
        sender.open("/servers?stage=online")
        page = sender.page
        page.locator('.ag-header-cell[col-id="rooms"]').click()
        page.locator('.ag-header-cell[col-id="rooms"]').click()
        expect(page).to_have_url(re.compile(r"sort=-rooms$"))
        expect(page.locator('.ag-header-cell[col-id="rooms"]')).to_have_attribute("aria-sort", "descending")
        sender.settled()
        numbers = [int(text) for text in column(page, "rooms") if text]
        assert len(numbers) > 5
        assert numbers == sorted(numbers, reverse=True)
        colleague.open(sender.address())
        assert column(colleague.page, "name") == column(page, "name")
        assert count(colleague) == count(sender)
        assert sender.complaints == colleague.complaints == []
