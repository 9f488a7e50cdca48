"""Browse: the public rooms that directories listed, in a table. Names and topics are anybody's text, and stay text.

Rooms that show signs of noise are hidden until they are asked for; each then says which.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from dash import Dash, dcc, html
from dash.development.base_component import Component

from analytics import wording as numbers
from crawler.store.rows import RoomRow
from dashboard import links, table, wording
from dashboard.data import CensusSource, View
from dashboard.pages.signs import are_known, signs_of
from dashboard.request import PageRequest
from dashboard.table_state import ROWS_A_PAGE, Column, Filter, Table, TableState

_KINDS = (("", "rooms and spaces"), ("room", "rooms"), ("space", "spaces"))
_SIZES = (("", "any"), ("2", "2 or more"), ("10", "10 or more"), ("100", "100 or more"), ("1000", "1 000 or more"))

_NOISE = (("", "hidden"), ("shown", "shown"), ("only", "alone"))
_NOISE_WANTED: dict[str, bool | None] = {"": False, "shown": None, "only": True}

NAME_LIMIT, TOPIC_LIMIT = 120, 200


def _kinds(view: View) -> Sequence[tuple[str, str]]:
    del view
    return _KINDS


def _sizes(view: View) -> Sequence[tuple[str, str]]:
    del view
    return _SIZES


def _noise(view: View) -> Sequence[tuple[str, str]]:
    return _NOISE if are_known(view) else (("", "not known"),)


def _rows(view: View, state: TableState, /) -> tuple[list[dict[str, Any]], int]:
    kind, size = state.filters.get("kind"), state.filters.get("members")
    page = view.reader.rooms_page(
        view.crawl.id,
        text=state.text,
        spaces=None if kind is None else kind == "space",
        min_members=None if size is None else int(size),
        noise=_NOISE_WANTED[state.filters.get("noise", "")] if are_known(view) else None,
        sort=TABLE.sort_word(state),
        descending=state.descending,
        limit=ROWS_A_PAGE,
        offset=state.offset,
    )
    signs = signs_of(view, [row.room_id for row in page.rows])
    return [_row(row, signs.get(row.room_id, ())) for row in page.rows], page.total


def room_path(room_id: str) -> str:
    """The address of a room's page."""
    return links.page(f"/rooms/{quote(room_id, safe='')}")


def _row(row: RoomRow, signs: Sequence[str]) -> dict[str, Any]:
    alias = wording.one_line(row.canonical_alias, NAME_LIMIT)
    name = wording.one_line(row.name, NAME_LIMIT)
    return {
        "href": room_path(row.room_id),
        "signs": ", ".join(wording.SIGN_WORDS[sign] for sign in signs),
        "name": name or alias or wording.one_line(row.room_id, NAME_LIMIT),
        "nameLine": wording.one_line(row.topic, TOPIC_LIMIT),
        "members": "" if row.members is None else numbers.number(round(row.members)),
        "reports": _reports(row),
        "directories": row.directories,
        "alias": alias,
        "kind": "space" if row.room_type == "m.space" else "room",
    }


def _reports(row: RoomRow) -> str:
    if row.members_min is None or row.members_min == row.members_max:
        return ""
    return f"{numbers.number(row.members_min)} to {numbers.number(row.members_max)}"


TABLE = Table(
    name="rooms",
    path="/rooms",
    noun="room",
    search_label="Name, topic, alias or ID contains",
    columns=(
        Column("name", "Room", "name", renderer="Text", flex=2.8, min_width_px=112),
        Column("members", "Members", "members", numeric=True, flex=0.9, min_width_px=126),
        Column("directories", "Listed by", "directories", wide=True, numeric=True, flex=0.8, min_width_px=104),
        Column("reports", "Reports differ", wide=True, numeric=True, flex=1.4, min_width_px=172),
        Column("alias", "Alias", "canonical_alias", wide=True, renderer="Text", flex=1.8, min_width_px=140),
        Column("signs", "Signs of noise", wide=True, flex=1.2, min_width_px=130),
        Column("kind", "Kind", "room_type", wide=True, flex=0.6, min_width_px=80),
    ),
    filters=(
        Filter("kind", "Kind", _kinds),
        Filter("members", "Members", _sizes),
        Filter("noise", "Rooms with signs of noise", _noise),
    ),
    default_sort="members",
    default_descending=True,
    row_height_px=56,
    opens_rows=True,
    rows=_rows,
)


_HIDDEN = (
    "Hidden are rooms that show a sign of noise: nobody in them, nearly the same text as many others, a link, a phone "
    "number or look-alike letters in the name. A sign is no verdict; the filter shows them. "
)


_NOT_KEPT = "Signs of noise are kept for the newest census alone: of this one all rooms are shown, without them. "


def layout(request: PageRequest) -> Component:
    """The page."""
    return html.Div(
        [
            html.H1("Public rooms", tabIndex="-1"),
            html.P(
                "Which rooms do servers list for everybody? Members are the median of what the directories report.",
                className="lede",
            ),
            table.layout(TABLE, request.view, request.query),
            html.P(
                [
                    _HIDDEN if are_known(request.view) else _NOT_KEPT,
                    dcc.Link("Which signs there are", href=links.page("/signal")),
                ],
                className="quiet",
            ),
            html.P(
                "Names and topics are what room administrators wrote. They are shown as they are, and are not ours.",
                className="quiet",
            ),
        ]
    )


def register(app: Dash, source: CensusSource, shown: str) -> None:
    """The page's callback."""
    table.register(app, source, TABLE, shown)
