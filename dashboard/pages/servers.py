"""Servers: every server that the census visited, in a table."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from dash import Dash, html
from dash.development.base_component import Component

from analytics.funnel import Predicate
from analytics.software import NOT_SAID
from crawler.store.rows import Observation, ServerRow
from dashboard import links, table, wording
from dashboard.data import CensusSource, View
from dashboard.figures.implementations import label
from dashboard.request import PageRequest
from dashboard.table_state import ROWS_A_PAGE, Column, Filter, Table, TableState

_STAGES: tuple[tuple[str, str, Mapping[str, bool]], ...] = (
    ("", "any", {}),
    ("online", "online", {"online": True}),
    ("federating", "federating", {"federating": True}),
    ("accepting", "accepting our requests", {"accepting": True}),
    ("listing", "listing rooms", {"listing": True}),
    ("not-federating", "online, not federating", {"online": True, "federating": False}),
    ("not-online", "not online", {"online": False}),
)
"""Choices of the stage: value in the address, label, predicates."""

_SOFTWARE_CHOICES = 60
_SILENT = "-"
"""In the address: servers that do not say what they run."""


def _stage_options(view: View) -> Sequence[tuple[str, str]]:
    del view
    return [(value, text) for value, text, _ in _STAGES]


def _software_options(view: View) -> Sequence[tuple[str, str]]:
    named = [(name, label(name, view.software)) for name in view.spoken[:_SOFTWARE_CHOICES]]
    return [("", "any"), *named, (_SILENT, NOT_SAID)]


def _directory_options(view: View) -> Sequence[tuple[str, str]]:
    del view
    return [("", "any"), *((state, words.word) for state, words in wording.DIRECTORY.items())]


def _rows(view: View, state: TableState, /) -> tuple[list[dict[str, Any]], int]:
    software = state.filters.get("software")
    page = view.reader.servers_page(
        view.crawl.id,
        text=state.text,
        predicates=next(flags for value, _, flags in _STAGES if value == state.filters.get("stage", "")),
        software="" if software == _SILENT else software,
        directory_state=state.filters.get("directory"),
        sort=TABLE.sort_word(state),
        descending=state.descending,
        limit=ROWS_A_PAGE,
        offset=state.offset,
    )
    return [_row(view, row) for row in page.rows], page.total


def _row(view: View, row: ServerRow) -> dict[str, Any]:
    software = label(row.software, view.software) if row.software else ""
    return {
        "href": server_path(row.server_name),
        "name": row.server_name,
        **_cell("stage", reached(row)),
        "software": f"{software} {wording.one_line(row.version, 40)}".strip(),
        **_cell("directory", wording.DIRECTORY.get(row.directory_state, wording.NOT_VISITED)),
        "rooms": row.directory_rooms,
        "why": wording.failure(row.failed_phase, row.failed_kind),
    }


def _cell(field: str, state: wording.State) -> dict[str, Any]:
    return {field: state.word, f"{field}Look": {"icon": state.icon, "tone": state.tone}}


def reached(row: ServerRow | Observation) -> wording.State:
    """How far a server came."""
    furthest = Predicate.KNOWN
    for predicate in (
        Predicate.RESOLVES,
        Predicate.REACHABLE,
        Predicate.SECURE,
        Predicate.ONLINE,
        Predicate.FEDERATING,
    ):
        if getattr(row, predicate.value):
            furthest = predicate
    return wording.REACHED[furthest]


def server_path(name: str) -> str:
    """The address of a server's page."""
    return links.page(f"/servers/{quote(name, safe='')}")


TABLE = Table(
    name="servers",
    path="/servers",
    noun="server",
    search_label="Name contains",
    columns=(
        Column("name", "Server", "server_name", renderer="Link", flex=2.2, min_width_px=112),
        Column("stage", "State", renderer="State", flex=1.8, min_width_px=172),
        Column("software", "Software", "software", wide=True, flex=1.5, min_width_px=92),
        Column(
            "directory", "Room directory", "directory_state", wide=True, renderer="State", flex=1.3, min_width_px=130
        ),
        Column("rooms", "Rooms", "directory_rooms", numeric=True, wide=True, flex=0.7, min_width_px=80),
        Column("why", "Why it is not counted", "failed_kind", wide=True, flex=2.2, min_width_px=160),
    ),
    filters=(
        Filter("stage", "State", _stage_options),
        Filter("software", "Software", _software_options),
        Filter("directory", "Room directory", _directory_options),
    ),
    default_sort="name",
    default_descending=False,
    row_height_px=36,
    opens_rows=True,
    rows=_rows,
)


def layout(request: PageRequest) -> Component:
    """The page."""
    return html.Div(
        [
            html.H1("Servers", tabIndex="-1"),
            html.P("Is a server counted, and if not, why? Every server that this census visited.", className="lede"),
            table.layout(TABLE, request.view, request.query),
        ]
    )


def register(app: Dash, source: CensusSource, shown: str) -> None:
    """The page's callback."""
    table.register(app, source, TABLE, shown)
