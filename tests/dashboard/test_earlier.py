"""An earlier census in the pages: what they say of it is what they said when it was the newest.

The oracle is a file of its own that ends with that census.
"""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import httpx
import pytest

from crawler.model.crawl import CrawlScope
from dashboard import links
from dashboard.app import create_app
from dashboard.charts.catalogue import CHARTS
from dashboard.charts.health import FAILURES
from dashboard.charts.published import ELSEWHERE
from dashboard.choices import Chosen
from dashboard.data import CensusSource, View
from dashboard.pages import mission
from dashboard.palette import Scheme
from dashboard.routing import PAGES, render
from tests.dashboard.federation import publish, write_census
from tests.dashboard.markup import text
from tests.dashboard.test_app import asks
from tests.dashboard.test_prefix import addresses, paths_of_all_pages


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A census file as published after its second census, and the same one after two crawls more."""
    folder = tmp_path_factory.mktemp("earlier")
    path = folder / "now" / "census.duckdb"
    path.parent.mkdir()
    write_census(path, servers=40, days_ago=40)
    write_census(path, servers=50, days_ago=8)
    publish(path)
    shutil.copytree(path.parent, folder / "then")
    write_census(path, servers=20, days_ago=4, scope=CrawlScope.LIMITED)
    write_census(path, servers=60)
    publish(path)
    return folder / "then" / path.name, path


@pytest.fixture(scope="module")
def source(files: tuple[Path, Path]) -> Iterator[CensusSource]:
    opened = CensusSource(files[1])
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def newest(source: CensusSource) -> Iterator[View]:
    with source.view() as view:
        assert view is not None
        yield view


@pytest.fixture(scope="module")
def then(files: tuple[Path, Path]) -> Iterator[View]:
    """The second census when it was the newest."""
    opened = CensusSource(files[0])
    with opened.view() as view:
        assert view is not None
        assert view.crawl.id == 2
        yield view
    opened.close()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("2", 2),
        ("4", 4),
        ("2026-11-15", 2),
        ("2026-11-14", 1),
        ("2026-11-19", 2),
        ("2030-01-01", 4),
        ("3", None),
        ("0", None),
        ("2026-10-13", None),
        ("yesterday", None),
        ("-1", None),
        ("²", None),
    ],
)
def test_a_census_is_found_by_number_and_by_day(newest: View, asked: str, found: int | None) -> None:
    """3 is the limited crawl, which is no census; it was 4 days ago."""
    view = newest.as_of(asked)
    assert (view and view.crawl.id) == found
    assert view is None or view.past == (None if found == 4 else found)


@pytest.mark.parametrize("name", sorted(CHARTS))
def test_a_chart_of_an_earlier_census_is_what_it_was(newest: View, then: View, name: str) -> None:
    chart = CHARTS[name]
    follows = "$census" in chart.sql or "$until" in chart.sql
    assert follows or chart.newest_only or chart is ELSEWHERE, "it has to say of which census it is"
    if chart.newest_only or chart is FAILURES:  # of attempts a serving file has the newest census, and old summaries
        return
    earlier = newest.as_of("2")
    assert earlier is not None
    assert chart.rows(earlier, Chosen()).rows() == chart.rows(then, Chosen()).rows()


def test_the_cards_of_an_earlier_census_are_what_they_were(newest: View, then: View) -> None:
    earlier = newest.as_of("2")
    assert earlier is not None
    said = text(mission.cards(earlier, Scheme.LIGHT))
    assert said == text(mission.cards(then, Scheme.LIGHT))
    assert said != text(mission.cards(newest, Scheme.LIGHT))


def test_every_page_says_which_census_it_is_of_and_its_links_stay_with_it(source: CensusSource) -> None:
    for page, path in zip(PAGES, paths_of_all_pages(source, "2"), strict=True):
        rendered = render(source, path, "?at=2", Scheme.LIGHT)
        said = text(rendered.content)
        if page.needs_census and page.path != "/embed/{name}":
            told = "You look at the census of 15 Nov 2026" in said
            assert told == page.follows_census, path
            assert page.follows_census or "not of the census of 15 Nov 2026 alone" in said, path
        assert "15 Nov 2026" in text(rendered.census_line)
        assert {each for each in addresses(rendered.nav) if each.partition("?")[2] != "at=2"} == set(), path


def test_what_is_kept_for_the_newest_alone_is_not_shown_as_of_then(source: CensusSource) -> None:
    said = text(render(source, "/decentralisation", "?at=2", Scheme.LIGHT).content)
    assert said.count("Kept for the newest census alone") == 4
    rooms = text(render(source, "/rooms", "?at=2", Scheme.LIGHT).content)
    assert "Signs of noise are kept for the newest census alone" in rooms


def test_a_server_of_an_earlier_census_has_no_steps_and_says_so(source: CensusSource) -> None:
    with source.looking("2") as view:
        assert view is not None
        name = view.reader.servers_page(2, predicates={"online": True}).rows[0].server_name
    page = render(source, f"/servers/{name}", "?at=2", Scheme.LIGHT)
    said = text(page.content)
    assert "as the census of 15 Nov 2026, 03:10 UTC saw it" in said
    assert "are kept for the newest census alone" in said
    for heading in ("Every attempt", "Where it leads", "Who named it", "with not known requests"):
        assert heading not in said


def test_a_census_that_is_not_there_is_said_and_the_newest_shown(source: CensusSource) -> None:
    said = text(render(source, "/growth", "?at=1999-01-01", Scheme.LIGHT).content)
    assert "There is no such census: 1999-01-01 . This is the newest." in said
    assert "The oldest is of 14 Oct 2026" in said


def test_the_banner_leads_to_its_neighbours_and_back(source: CensusSource) -> None:
    content = render(source, "/growth", "?at=1&scale=log&from=2026-01-01", Scheme.LIGHT).content
    banner = set(addresses(content.children[0]))
    assert banner == {"/growth?scale=log&from=2026-01-01&at=2", "/growth?scale=log&from=2026-01-01"}


@pytest.fixture
async def client(files: tuple[Path, Path]) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(files[1], requests_a_minute=0))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as opened:
        yield opened


async def test_data_addresses_tell_of_it(client: httpx.AsyncClient, then: View) -> None:
    document = (await client.get("/data/funnel.json", params={"at": "2026-11-15"})).json()
    online = next(row["value"] for row in document["rows"] if row["line"] == "online")
    assert online == then.crawl.online
    assert "m.snapshot = 2" in document["query"]
    newest = await client.get("/data/funnel.csv")
    assert newest.headers["etag"] != (await client.get("/data/funnel.csv?at=2")).headers["etag"]
    for wrong, why in (("9", "there is no such census"), ("x", "there is no such census")):
        answer = await client.get("/data/funnel.csv", params={"at": wrong})
        assert (answer.status_code, why in answer.text) == (404, True)
    answer = await client.get("/data/lorenz.csv?at=2")
    assert (answer.status_code, "kept for the newest census alone" in answer.text) == (404, True)


async def test_the_api_tells_the_numbers_of_it(client: httpx.AsyncClient, then: View) -> None:
    asked = {"metric": "servers", "dimension": "online", "at": "2026-11-15"}
    answer = await client.get("/api/v1/metrics", params=asked)
    assert [(row["snapshot"], row["value"]) for row in answer.json()["data"]] == [(2, then.crawl.online)]


def without_visits(rows: list[dict[str, Any]] | dict[str, Any]) -> object:
    """Rows without what is kept of the newest census alone."""
    if isinstance(rows, dict):
        return rows
    return [{key: value for key, value in row.items() if key not in ("visited", "observed_at")} for row in rows]


async def test_the_api_answers_as_when_it_was_the_newest(client: httpx.AsyncClient, files: tuple[Path, Path]) -> None:
    """The oracle is the application over the file of then, asked without `at`."""
    transport = httpx.ASGITransport(create_app(files[0], requests_a_minute=0))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as oracle:
        names = [row["server_name"] for row in (await oracle.get("/api/v1/servers?online=true")).json()["data"]]
        rooms = [row["room_id"] for row in (await oracle.get("/api/v1/rooms?limit=3")).json()["data"]]
        differ = 0
        server, room = f"/api/v1/servers/{names[0]}", f"/api/v1/rooms/{quote(rooms[0], safe='')}"
        for path in (
            *("/api/v1/servers", "/api/v1/servers?federating=true&sort=-directory_rooms", "/api/v1/rooms?q=a&limit=20"),
            *(f"{server}/history", room, f"{room}/history", "/api/v1/series?metric=servers&dimension=online"),
        ):
            was = (await oracle.get(path)).json()
            now = (await client.get(path, params={**dict(parse_qsl(urlsplit(path).query)), "at": "2"})).json()
            assert without_visits(now["data"]) == without_visits(was["data"]), path
            assert now["about"] == was["about"], path
            assert now["snapshot"]["census"] == was["snapshot"]["census"], path
            differ += now["data"] != (await client.get(path)).json()["data"]
        was, now = [(await each.get(server, params=at)).json() for each, at in ((oracle, {}), (client, {"at": "2"}))]
    assert differ >= 4
    of_newest_alone = {"observation", "steps", "attempts", "endpoints", "addresses", "leads", "leads_total"}
    told, was_told = [
        {key: value for key, value in answer["data"].items() if key not in of_newest_alone} for answer in (now, was)
    ]
    assert now["data"]["state"]["visited"] is None
    assert without_visits([told.pop("state")]) == without_visits([was_told.pop("state")])
    assert told == was_told
    assert "newest census alone" in now["about"]["method"]


async def test_a_page_of_it_is_followed_by_another_of_it(client: httpx.AsyncClient) -> None:
    first = (await client.get("/api/v1/servers", params={"at": "2026-11-15", "limit": 20})).json()
    assert "at=2026-11-15" in first["next"]
    second = (await client.get(first["next"])).json()
    assert second["snapshot"]["census"]["crawl_id"] == first["snapshot"]["census"]["crawl_id"] == 2
    whole = (await client.get("/api/v1/servers", params={"at": "2", "limit": 40})).json()["data"]
    assert first["data"] + second["data"] == whole


@pytest.mark.parametrize(
    "path",
    [
        *("servers", "servers/a.example", "servers/a.example/history", "rooms", "rooms/!a:b", "rooms/!a:b/history"),
        *("metrics", "series?metric=servers"),
    ],
)
async def test_a_census_that_is_not_there_is_a_problem_of_its_own(client: httpx.AsyncClient, path: str) -> None:
    for nowhere in ("3", "1999-01-01", "2026-13-01"):
        answer = await client.get(f"/api/v1/{path}", params={**dict(parse_qsl(urlsplit(path).query)), "at": nowhere})
        assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (404, "no-such-census")
    answer = await client.get(f"/api/v1/{path}", params={**dict(parse_qsl(urlsplit(path).query)), "at": "yesterday"})
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "at")


async def test_the_page_of_a_day_is_that_of_its_census(client: httpx.AsyncClient) -> None:
    answer = await client.post("/_dash-update-component", json=asks("/", "?at=2026-11-15"))
    assert answer.json()["response"]["shown"]["data"] == "/?at=2026-11-15"
    assert "census of 15 Nov 2026" in answer.text


def test_a_census_is_kept_in_an_address_once() -> None:
    with links.looking_at(2):
        assert links.search("?q=a") == "?q=a&at=2"
        assert links.search("") == "?at=2"
    assert links.search("") == ""
