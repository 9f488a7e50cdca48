"""A table's state: read from an address, written into one, changed by a person, never trusted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.data import CensusSource, View
from dashboard.pages import rooms, servers
from dashboard.request import parse_query
from dashboard.table import layout
from dashboard.table_state import LAST_PAGE, TableState, asked
from tests.dashboard.markup import find, texts

TABLES = [servers.TABLE, rooms.TABLE]


@pytest.fixture(scope="module")
def view(census: Path) -> Iterator[View]:
    source = CensusSource(census)
    with source.view() as found:
        assert found is not None
        yield found
    source.close()


def held(**changes: Any) -> dict[str, object]:
    """What the controls of the servers' table hold when nothing was chosen."""
    return {"text": "", "stage": "", "software": "", "directory": "", "pages": 1, "grid": None} | changes


FIRST = TableState(sort="name", descending=False)


def test_the_first_sight_of_a_table_has_no_query(view: View) -> None:
    for table in TABLES:
        assert table.search(table.parse({}, view)) == ""


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_state_survives_its_address(view: View, data: st.DataObject) -> None:
    table = data.draw(st.sampled_from(TABLES))
    column = data.draw(st.sampled_from([c.field for c in table.columns if c.sort]))
    filters = {}
    for each in table.filters:
        value = data.draw(st.sampled_from([value for value, _ in each.options(view)]))
        if value:
            filters[each.key] = value
    state = TableState(
        sort=column,
        descending=data.draw(st.booleans()),
        text=data.draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=50)).strip(),
        filters=filters,
        page=data.draw(st.integers(1, LAST_PAGE)),
    )
    assert table.parse(parse_query(table.search(state)), view) == state


@given(query=st.dictionaries(st.sampled_from(["q", "stage", "software", "sort", "page", "members"]), st.text()))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_address_makes_a_state_that_is_there(view: View, query: dict[str, str]) -> None:
    for table in TABLES:
        state = table.parse(query, view)
        assert 1 <= state.page <= LAST_PAGE
        assert table.sort_word(state)
        for each in table.filters:
            assert state.filters.get(each.key, "") in dict(each.options(view))


def test_any_change_but_of_the_page_goes_to_the_first(view: View) -> None:
    shown = TableState(sort="name", descending=False, page=3)
    for part, values in (
        ("text", held(text="chat", pages=3)),
        ("stage", held(stage="online", pages=3)),
        ("grid", held(grid={"data": {"column": "rooms", "descending": True}}, pages=3)),
    ):
        assert asked(servers.TABLE, view, shown, values, part).page == 1
    assert asked(servers.TABLE, view, shown, held(pages=2), "pages") == TableState("name", False, page=2)


def test_controls_that_have_just_come_change_nothing(view: View) -> None:
    shown = TableState(sort="rooms", descending=True, text="chat", filters={"stage": "online"}, page=3)
    values = held(text="chat", stage="online", pages=3)
    assert asked(servers.TABLE, view, shown, values, "text") == shown


def test_the_second_of_two_quick_changes_keeps_the_first(view: View) -> None:
    state = asked(servers.TABLE, view, FIRST, held(text="chat", stage="online"), "stage")
    assert (state.text, state.filters) == ("chat", {"stage": "online"})


def test_a_header_sorts_and_an_unknown_column_does_not(view: View) -> None:
    sorted_ = held(grid={"data": {"column": "rooms", "descending": True}})
    state = asked(servers.TABLE, view, FIRST, sorted_, "grid")
    assert (state.sort, state.descending) == ("rooms", True)
    assert servers.TABLE.sort_word(state) == "directory_rooms"
    for column in ("stage", "server_name; DROP TABLE server", None, 7):
        assert asked(servers.TABLE, view, FIRST, held(grid={"data": {"column": column}}), "grid").sort == "name"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(values=st.dictionaries(st.sampled_from(["text", "stage", "software", "pages", "grid"]), JSON), part=st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_a_browser_sends_is_a_state(view: View, values: dict[str, object], part: str) -> None:
    state = asked(servers.TABLE, view, FIRST, values, part)
    assert 1 <= state.page <= LAST_PAGE
    assert servers.TABLE.parse(parse_query(servers.TABLE.search(state)), view).sort == state.sort


def test_rows_are_filtered_and_sorted_over_all_pages(view: View) -> None:
    state = servers.TABLE.parse({"stage": "not-online", "sort": "-name"}, view)
    rows, total = servers.TABLE.rows(view, state)
    assert total == 260 - 153
    assert len(rows) == 50
    names = [row["name"] for row in rows]
    assert names == sorted(names, reverse=True)
    assert not any(row["stage"].startswith(("online", "federating")) for row in rows)


def test_servers_that_say_nothing_can_be_found(view: View) -> None:
    rows, total = servers.TABLE.rows(view, servers.TABLE.parse({"software": "-", "stage": "online"}, view))
    assert total == len(rows) == 4
    assert {row["software"] for row in rows} == {""}


def test_the_least_members_leave_out_rooms_that_do_not_say(view: View) -> None:
    _, every = rooms.TABLE.rows(view, rooms.TABLE.parse({}, view))
    found, some = rooms.TABLE.rows(view, rooms.TABLE.parse({"members": "1000"}, view))
    assert 0 < some < every
    assert all(row["members"] for row in found)


def test_spaces_and_rooms_are_told_apart(view: View) -> None:
    found, total = rooms.TABLE.rows(view, rooms.TABLE.parse({"kind": "space"}, view))
    assert [(row["name"], row["kind"]) for row in found] == [("All of the example rooms", "space")]
    assert total == 1


def test_a_page_past_the_last_shows_the_last(view: View) -> None:
    page = layout(servers.TABLE, view, {"page": "9999"})
    assert "251 to 260 of 260 servers" in texts(page)
    assert find(page, "servers-pages").value == 6
    assert len(find(page, "servers-grid").rowData) == 10


def test_the_address_is_applied_when_the_layout_is_built(view: View) -> None:
    page = layout(servers.TABLE, view, {"q": "matrix.example", "stage": "online", "sort": "-software"})
    assert [row["name"] for row in find(page, "servers-grid").rowData] == ["matrix.example"]
    assert find(page, "servers-text").value == "matrix.example"
    assert find(page, "servers-stage").value == "online"
    sorts = {column["field"]: column.get("sort") for column in find(page, "servers-grid").columnDefs}
    assert {field: sort for field, sort in sorts.items() if sort} == {"software": "desc"}
