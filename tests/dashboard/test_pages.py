"""Every page over real published censuses: what it says, and that absent, failed and zero stay three things."""

from collections.abc import Iterator
from pathlib import Path

import plotly.graph_objects as go
import pytest

from analytics.charter import CHARTER
from crawler.engine.permission import judge_robots
from crawler.engine.schedule import DENIED_FOR, ROBOTS_FOR
from crawler.errors import FailureKind
from crawler.model.schedule import Robots
from crawler.model.user_agent import user_agent
from crawler.protocol.optout import room_says_no
from dashboard import routing
from dashboard.data import CensusSource
from dashboard.pages import neighbour
from dashboard.palette import Scheme
from dashboard.routing import PAGES, Page, Rendered, find_page, render
from tests.dashboard.federation import observations
from tests.dashboard.markup import find, text


@pytest.fixture(scope="module")
def source(census: Path) -> Iterator[CensusSource]:
    opened = CensusSource(census)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def unsigned(real_census: Path) -> Iterator[CensusSource]:
    opened = CensusSource(real_census)
    yield opened
    opened.close()


def page(source: CensusSource, path: str, search: str = "") -> Rendered:
    return render(source, path, search, Scheme.LIGHT)


def test_the_overview_shows_the_numbers_with_what_they_rest_on(source: CensusSource) -> None:
    said = text(page(source, "/").content)
    assert "The number of online servers in the open federation ● measured at least 153 servers online" in said
    assert "of 260 servers visited" in said
    assert "Not countable from outside. What can be seen:" in said
    assert said.count("not observable") == 2
    assert all(card.partition(" (")[0] in said.lower() for card in (metric.words.lower() for metric in CHARTER))


def test_the_census_line_says_when_how_complete_and_that_it_is_synthetic(source: CensusSource) -> None:
    said = text(page(source, "/about").census_line)
    assert "Synthetic" in said
    assert "23 Nov 2026, 03:10 UTC" in said
    assert "of 263 known servers visited" in said
    assert "test bench" in said


def test_a_real_census_is_not_called_synthetic(unsigned: CensusSource) -> None:
    for path in ("/", "/servers", "/rooms", "/about"):
        rendered = page(unsigned, path)
        assert "ynthetic" not in text(rendered.census_line)


def test_acceptance_is_not_known_without_an_identity(unsigned: CensusSource) -> None:
    figure = go.Figure(find(page(unsigned, "/").content, "funnel").figure)
    assert "not known" in figure.data[0].text


def test_every_visited_server_has_a_page(source: CensusSource) -> None:
    for seen in list(observations())[:60]:
        rendered = page(source, f"/servers/{seen.server_name.raw.replace('[', '%5B').replace(']', '%5D')}")
        said = text(rendered.content)
        assert seen.server_name.raw in said
        assert ("Counted as online." in said) == seen.online
        assert ("Not counted as online." in said) == (not seen.online)
        if seen.fell_out is not None:
            assert f"seen by the test: {seen.fell_out.kind.value}" in said


def test_a_server_page_shows_every_step(source: CensusSource) -> None:
    seen = next(s for s in observations() if s.resolution.branch == "6" and s.federating)
    said = text(page(source, f"/servers/{seen.server_name.raw}").content)
    for step in seen.resolution.steps:
        assert step.subject in said
        assert step.conclusion in said
    for what in ("Resolve the name", "Connect (TCP)", "Secure (TLS)", "Fetch and verify the keys", "ed25519:a_Xy12"):
        assert what in said


def test_not_reached_is_not_called_absent(source: CensusSource) -> None:
    seen = next(s for s in observations() if s.fell_out and s.fell_out.kind is FailureKind.TLS_EXPIRED)
    said = text(page(source, f"/servers/{seen.server_name.raw}").content)
    assert "Why: certificate expired (TLS)." in said
    assert "Software not asked" in said
    assert "Base URL not asked" in said
    assert "not published" not in said


def test_a_name_in_any_case_finds_its_server(source: CensusSource) -> None:
    assert "matrix.example" in text(page(source, "/servers/MATRIX.example").content)


def test_named_but_not_visited_is_said(source: CensusSource) -> None:
    said = text(page(source, "/servers/unvisited1.example").content)
    assert "did not visit it" in said
    assert "in a room alias" in said


@pytest.mark.parametrize("name", ["never.example", "%3Cimg%20src%3Dx%3E", "%00", "%ED%A0%80", "x" * 3000, "%2e%2e"])
def test_an_unknown_name_is_not_in_the_census(source: CensusSource, name: str) -> None:
    assert "Not in this census" in text(page(source, f"/servers/{name}").content)


@pytest.mark.parametrize("path", ["/nowhere", "/servers/a/b", "//x", "/servers/x/", "/SERVERS", "/../etc/passwd"])
def test_an_unknown_address_has_no_page(source: CensusSource, path: str) -> None:
    assert find_page(path) is None
    assert "There is no such page" in text(page(source, path).content)


def address(each: Page) -> str:
    """An address of a page: for one that takes an argument, with one that there is."""
    return each.path.replace("{name}", "a%3A1" if each.holds("a:1") else "funnel")


def test_every_page_is_found_by_its_own_path() -> None:
    for each in PAGES:
        found = find_page(address(each))
        assert found is not None
        assert found[0] is each
        assert found[1] in (("a:1", "funnel") if "{" in each.path else ("",))


def test_without_a_census_every_page_says_what_fills_it(tmp_path: Path) -> None:
    source = CensusSource(tmp_path / "census.duckdb")
    for each in PAGES:
        said = text(page(source, address(each)).content)
        assert ("No census yet" in said) == each.needs_census


def test_both_schemes_are_drawn_in_their_own_colours(source: CensusSource) -> None:
    light, dark = (
        find(render(source, "/", "", each).content, "funnel").figure["data"][0]["marker"]["color"][0] for each in Scheme
    )
    assert light != dark


def test_the_store_and_the_address_speak_alike() -> None:
    assert routing.address_of("/servers", "?q=a") == "/servers?q=a"
    assert routing.address_of("/servers", "") == routing.address_of("/servers", "?") == "/servers"


def test_who_runs_a_server_is_told_who_we_are_and_how_to_be_left_out(source: CensusSource) -> None:
    said = text(page(source, neighbour.PATH).content)
    with source.view() as view:
        assert view is not None
        contact = view.reader.settings(view.crawl.id)["politeness"]["contact"]
        identity = view.reader.identity(view.crawl.id)
        assert contact
        assert identity
        assert user_agent(view.crawl.crawler_version, contact) in said
        assert identity in said
    # What it tells to write is what the crawler obeys.
    assert " ".join(neighbour.ROBOTS.split()) in said
    assert judge_robots(neighbour.ROBOTS) is Robots.DISALLOWS_US
    assert " ".join(neighbour.ROBOTS_ENTIRELY.split()) in said
    assert judge_robots(neighbour.ROBOTS_ENTIRELY) is Robots.DISALLOWS_US_ENTIRELY
    for tag in neighbour.TAGS:
        assert tag in said
        assert room_says_no(f"A room about gardens {tag}")
    assert f"for {ROBOTS_FOR.days} days" in said
    assert f"again for {DENIED_FOR.days} days" in said
    assert "429" in said


def test_who_we_are_needs_no_census(tmp_path: Path) -> None:
    said = text(page(CensusSource(tmp_path / "none.duckdb"), neighbour.PATH).content)
    assert " ".join(neighbour.ROBOTS.split()) in said
    assert "user agent" in said


@pytest.mark.parametrize(
    ("contact", "link"),
    [
        ("me@example.org", "mailto:me@example.org"),
        ("@me:example.org", "https://matrix.to/#/@me:example.org"),
        ("https://example.org/census", "https://example.org/census"),
        ("javascript:alert(1)", None),
    ],
)
def test_a_contact_is_a_link_where_a_browser_can_follow_it(contact: str, link: str | None) -> None:
    assert getattr(neighbour._reachable(contact), "href", None) == link
