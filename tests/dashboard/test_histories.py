"""The pages of one room and the past of one server: what they say, and that hostile text stays text."""

import base64
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import quote

import plotly.graph_objects as go
import pytest

from analytics.trend import Point, before
from crawler.store.histories import Day, RoomPoint
from dashboard.data import CensusSource, View
from dashboard.figures.sparkline import sparkline
from dashboard.figures.uptime import uptime
from dashboard.pages.room import members_rows
from dashboard.palette import PALETTES, Scheme
from dashboard.routing import render
from tests.dashboard.federation import RTL_TOPIC, SCRIPT_ROOM
from tests.dashboard.markup import find, parts, text


@pytest.fixture(scope="module")
def source(history: Path) -> Iterator[CensusSource]:
    opened = CensusSource(history)
    yield opened
    opened.close()


def room(source: CensusSource, room_id: str) -> object:
    return render(source, f"/rooms/{quote(room_id, safe='')}", "", Scheme.LIGHT).content


def test_a_room_says_who_it_is_and_how_to_join_it(source: CensusSource) -> None:
    page = room(source, "!rtl:matrix.example")
    said = text(page)
    assert "Right to left" in said
    assert "anybody may join" in said
    links = [part.href for part in parts(page) if getattr(part, "href", "").startswith(("matrix:", "https:"))]
    assert links == ["matrix:r/rtl:matrix.example", "https://matrix.to/#/%23rtl%3Amatrix.example"]
    overrides = {character for character in RTL_TOPIC if "\u202a" <= character <= "\u202e" or character >= "\u2066"}
    assert not overrides & set(said)


def test_a_room_without_an_alias_is_joined_by_its_id_and_who_lists_it(source: CensusSource) -> None:
    page = room(source, "!script:matrix.example")
    assert SCRIPT_ROOM in text(page)
    links = [part.href for part in parts(page) if getattr(part, "href", "").startswith("matrix:")]
    assert len(links) == 1
    assert links[0].startswith("matrix:roomid/script:matrix.example?via=")
    assert "matrix.example" in links[0]


def test_the_members_of_a_room_are_drawn_as_they_were_reported(source: CensusSource) -> None:
    figure = go.Figure(find(room(source, "!rtl:matrix.example"), "room-members").figure)
    drawn = next(trace for trace in figure.data if trace.name == "members")
    with source.view() as view:
        assert isinstance(view, View)
        first, last = (
            view.reader.rooms_page(crawl, text="Right to left").rows[0].members for crawl in (1, view.crawl.id)
        )
    assert (drawn.y[0], drawn.y[-1]) == (first, last)
    assert drawn.line.shape == "hv"


@pytest.mark.parametrize("room_id", ["!nowhere:x", "<script>alert(1)</script>", "' OR 1=1 --", "\u202egnp"])
def test_an_unknown_room_is_not_in_the_census(source: CensusSource, room_id: str) -> None:
    said = text(room(source, room_id))
    assert "Not in this census" in said
    assert "\u202e" not in said


def test_a_stretch_out_of_the_directories_is_a_gap(source: CensusSource) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    history = (
        RoomPoint(start, start + timedelta(days=2), 5.0, 1),
        RoomPoint(start + timedelta(days=2), start + timedelta(days=4), 7.0, 1),
        RoomPoint(start + timedelta(days=9), None, 8.0, 1),
    )
    with source.view() as view:
        assert isinstance(view, View)
        rows = members_rows(history, view)
    assert rows["value"].to_list() == [5.0, 7.0, None, 8.0, 8.0]


def test_rooms_with_signs_are_hidden_until_asked_for(source: CensusSource) -> None:
    def count(search: str) -> int:
        said = text(find(render(source, "/rooms", search, Scheme.LIGHT).content, "rooms-count"))
        return int(re.sub(r"\D", "", said.partition(" of ")[2]))

    assert count("") + count("?noise=only") == count("?noise=shown")
    rows = find(render(source, "/rooms", "?noise=only", Scheme.LIGHT).content, "rooms-grid").rowData
    assert rows
    assert all(row["signs"] for row in rows)
    assert rows[0]["href"].startswith("/rooms/%21")


def test_the_page_of_a_server_tells_its_past(source: CensusSource) -> None:
    said = text(render(source, "/servers/matrix.example", "", Scheme.LIGHT).content)
    assert "Online in 4 of 4 censuses (100.0" in said or "Online in 3 of 3 censuses (100.0" in said
    assert "Versions over time" in said
    assert "Certificates over time" in said


def bars(days: list[Day]) -> tuple[str, str]:
    found = uptime(days, Scheme.LIGHT)
    assert found is not None
    return base64.b64decode(found.picture.partition(",")[2]).decode(), found.words


def test_uptime_is_told_by_height_and_in_words() -> None:
    picture, words = bars(
        [Day(date(2026, 1, 1), 1, 1, 1), Day(date(2026, 1, 2), 2, 2, 1), Day(date(2026, 1, 4), 1, 1, 0)]
    )
    assert [picture.count(f'height="{height}"') for height in (40, 26, 10)] == [1, 1, 1]
    assert words.replace("\u202f", " ") == (
        "Online in 2 of 4 censuses (50.0 %); not, or not always, on 2 days, last on 4 Jan 2026."
    )
    assert uptime([Day(date(2026, 1, 1), 1, 0, 0)], Scheme.LIGHT) is None


def test_a_small_picture_needs_two_points_and_wears_the_scheme() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    points = [Point(start + timedelta(days=day), float(day), day - 1.0, day + 1.0) for day in range(300)]
    assert sparkline(points[:1], Scheme.LIGHT) is None
    for scheme in Scheme:
        drawn = sparkline(points, scheme)
        assert drawn is not None
        picture = base64.b64decode(drawn.partition(",")[2]).decode()
        assert PALETTES[scheme].accent in picture
        line = re.search(r'polyline points="([^"]+)"', picture)
        assert line is not None
        assert len(line[1].split()) <= 121


def test_a_change_is_against_a_census_old_enough() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    points = [Point(start + timedelta(days=day), float(day)) for day in (0, 10, 29, 40)]
    found = before(points, 30)
    assert found is not None
    assert found.value == 10
    assert before(points, 41) is None
    assert before([], 1) is None


def test_an_old_census_is_called_old(source: CensusSource) -> None:
    """Of censuses 32 and 8 days apart, the median is 20."""
    sealed = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)
    for days, is_old in ((39, False), (41, True)):
        at = sealed + timedelta(days=days)
        content = render(source, "/", "", Scheme.LIGHT, now=partial(at.astimezone, UTC)).content
        assert ("An old census." in text(content)) is is_old
