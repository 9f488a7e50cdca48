"""A table of many rows, paged, filtered and sorted in SQL, its whole state in the address.

The browser holds one page of rows. Every change (a filter, a column's header, a page number) is one query, and the
address follows, so that a link or the back button brings back the same rows. Sorting is SQL's: the grid shows the arrow
and keeps the order it is given.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import urlencode

import dash_ag_grid as dag
import dash_mantine_components as dmc
import trio
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from analytics import wording
from dashboard import frame
from dashboard.data import CensusSource, View
from dashboard.request import parse_query

ROWS_A_PAGE = 50
LAST_PAGE = 10_000
TEXT_LIMIT = 200
HEADER_HEIGHT_PX = 40
_ROW_BORDER_PX = 2
_OUTPUTS = 7

_TEXT_KEY, _SORT_KEY, _PAGE_KEY = "q", "sort", "page"


@dataclass(frozen=True, slots=True)
class Filter:
    """A choice above the table. `options` are (value, label); the first, with the value "", means any. `key` is its
    name in the address."""

    key: str
    label: str
    options: Callable[[View], Sequence[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `sort` is the reader's word for sorting by it, None where it cannot be sorted; `numeric` aligns
    right; `wide` columns are left out on a phone; `renderer` is a cell of `dashAgGridFunctions.js`."""

    field: str
    header: str
    sort: str | None = None
    numeric: bool = False
    wide: bool = False
    renderer: str | None = None
    flex: float = 1.0
    min_width_px: int = 90


@dataclass(frozen=True, slots=True)
class TableState:
    """What is looked for: `filters` only holds what is not any; `page` counts from 1."""

    sort: str
    descending: bool
    text: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)
    page: int = 1

    @property
    def offset(self) -> int:
        return (self.page - 1) * ROWS_A_PAGE


class Rows(Protocol):
    """Asks the reader: rows for the grid, and how many fit altogether."""

    def __call__(self, view: View, state: TableState, /) -> tuple[list[dict[str, Any]], int]: ...


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the dashboard: where it is, what it shows, how it asks."""

    name: str
    path: str
    noun: str
    search_label: str
    columns: tuple[Column, ...]
    filters: tuple[Filter, ...]
    default_sort: str
    default_descending: bool
    row_height_px: int
    opens_rows: bool
    rows: Rows

    def parse(self, query: Mapping[str, str], view: View) -> TableState:
        """The state that an address asks for; what it asks for in vain is left out."""
        sort = query.get(_SORT_KEY, "")
        descending = sort.startswith("-")
        column = next((c for c in self.columns if c.sort and c.field == sort.removeprefix("-")), None)
        page = query.get(_PAGE_KEY, "1")
        chosen = {f.key: query[f.key] for f in self.filters if f.key in query and query[f.key] in dict(f.options(view))}
        return TableState(
            sort=column.field if column else self.default_sort,
            descending=descending if column else self.default_descending,
            text=query.get(_TEXT_KEY, "")[:TEXT_LIMIT].strip(),
            filters=chosen,
            page=min(max(int(page), 1), LAST_PAGE) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
        )

    def search(self, state: TableState) -> str:
        """The address's query for a state: only what differs from the table as it is first shown."""
        parts: dict[str, str] = {}
        if state.text:
            parts[_TEXT_KEY] = state.text
        parts |= {f.key: state.filters[f.key] for f in self.filters if state.filters.get(f.key)}
        if (state.sort, state.descending) != (self.default_sort, self.default_descending):
            parts[_SORT_KEY] = f"-{state.sort}" if state.descending else state.sort
        if state.page > 1:
            parts[_PAGE_KEY] = str(state.page)
        return f"?{urlencode(parts)}" if parts else ""

    def sort_word(self, state: TableState) -> str:
        """The reader's word for the column that sorts."""
        return next(c.sort for c in self.columns if c.field == state.sort and c.sort)

    def id(self, part: str) -> str:
        """The id of a part in the page."""
        return f"{self.name}-{part}"


def layout(table: Table, view: View, query: Mapping[str, str]) -> Component:
    """The table as its address asks for it, rows included."""
    state, rows, total = _ask(table, view, table.parse(query, view))
    return html.Div(
        [
            dcc.Store(id=table.id("fitted")),
            html.Div(className="filters", role="search", children=_filters(table, view, state)),
            html.P(_count(table, state, total), id=table.id("count"), className="quiet numbers", role="status"),
            html.Div(
                _grid(table, state, rows),
                className="grid" if table.opens_rows else "grid fixed",
                style={"--row-height": f"{table.row_height_px - _ROW_BORDER_PX}px"},
            ),
            html.Div(
                className="table-foot",
                children=[
                    dmc.Pagination(
                        id=table.id("pages"),
                        total=_pages(total),
                        value=state.page,
                        siblings=1,
                        size="sm",
                        withControls=False,  # its arrows have no name for screen readers; the numbers do
                        hideWithOnePage=True,
                    ),
                ],
            ),
        ]
    )


def _filters(table: Table, view: View, state: TableState) -> list[Component]:
    text = dmc.TextInput(
        id=table.id("text"), label=table.search_label, value=state.text, debounce=400, className="grow"
    )
    choices = [
        dmc.Select(
            id=table.id(f.key),
            label=f.label,
            value=state.filters.get(f.key, ""),
            data=[{"value": value, "label": label} for value, label in f.options(view)],
            allowDeselect=False,
            comboboxProps={"transitionProps": {"duration": 0}},
        )
        for f in table.filters
    ]
    return [text, *choices]


def _grid(table: Table, state: TableState, rows: list[dict[str, Any]]) -> Component:
    grid: Component = dag.AgGrid(
        id=table.id("grid"),
        columnDefs=[_column(column, state) for column in table.columns],
        defaultColDef={
            "resizable": True,
            "suppressMovable": True,
            "suppressHeaderMenuButton": True,
            "sortingOrder": ["asc", "desc"],
            "cellDataType": False,
        },
        rowData=rows,
        style=_height(table, rows),
        dashGridOptions={
            "theme": {"function": "censusTheme(themeQuartz)"},
            "rowHeight": table.row_height_px,
            "headerHeight": HEADER_HEIGHT_PX,
            "suppressCellFocus": False,
            "enableCellTextSelection": True,
            "animateRows": False,
            "suppressMultiSort": True,
            "localeText": {"noRowsToShow": f"No {table.noun} fits these filters."},
        },
        eventListeners={
            "sortChanged": ["askSort(params, setEventData)"],
            **({"rowClicked": ["openRow(params)"]} if table.opens_rows else {}),
        },
    )
    return grid


def _column(column: Column, state: TableState) -> dict[str, Any]:
    definition: dict[str, Any] = {
        "field": column.field,
        "headerName": column.header,
        "sortable": column.sort is not None,
        "flex": column.flex,
        "minWidth": column.min_width_px,
        "comparator": {"function": "keepOrder"},
        "context": {"wide": column.wide},
        "headerClass": "ag-right-aligned-header" if column.numeric else "",
        "cellClass": "ag-right-aligned-cell" if column.numeric else "",
    }
    if column.renderer:
        definition["cellRenderer"] = column.renderer
    if column.field == state.sort:
        definition["sort"] = "desc" if state.descending else "asc"
    return definition


def _height(table: Table, rows: Sequence[object]) -> dict[str, str]:
    """As high as its rows, within the window: a long page scrolls inside, under its header."""
    needed_px = HEADER_HEIGHT_PX + max(len(rows), 3) * table.row_height_px + 4
    return {"height": f"max(240px, min({needed_px}px, 100vh - 176px))", "width": "100%"}


def _count(table: Table, state: TableState, total: int) -> str:
    if not total:
        return f"No {table.noun} fits."
    first = state.offset + 1
    last = min(state.offset + ROWS_A_PAGE, total)
    return f"{wording.number(first)} to {wording.number(last)} of {wording.plural(total, table.noun)}"


def _pages(total: int) -> int:
    return min(max(-(-total // ROWS_A_PAGE), 1), LAST_PAGE)


def _ask(table: Table, view: View, state: TableState) -> tuple[TableState, list[dict[str, Any]], int]:
    """The rows of a state; a page past the last becomes the last."""
    rows, total = table.rows(view, state)
    if not rows and total:
        state = replace(state, page=_pages(total))
        rows, total = table.rows(view, state)
    return state, rows, total


def asked(table: Table, view: View, shown: TableState, values: Mapping[str, object], part: str) -> TableState:
    """The state that a person asks for.

    Everything is taken from the controls themselves, not from what is shown: of two quick changes the second must not
    undo the first, whose answer may still be on its way.

    Args:
        table: The table.
        view: The census.
        shown: What is on the screen; it tells the sort until a header was clicked.
        values: What the controls hold, by part; from a browser, so of any type.
        part: The part that was changed; any change but of the page goes back to the first page.
    """
    text = values.get("text")
    filters: dict[str, str] = {}
    for each in table.filters:
        value = values.get(each.key)
        if isinstance(value, str) and value and value in dict(each.options(view)):
            filters[each.key] = value
    sort, descending = shown.sort, shown.descending
    event = values.get("grid")
    if isinstance(event, dict) and isinstance(event.get("data"), dict):
        clicked = event["data"].get("column")
        if any(column.sort and column.field == clicked for column in table.columns):
            sort, descending = clicked, event["data"].get("descending") is True
    page = values.get("pages")
    state = TableState(
        sort=sort,
        descending=descending,
        text=text[:TEXT_LIMIT].strip() if isinstance(text, str) else "",
        filters=filters,
        page=min(max(page, 1), LAST_PAGE) if isinstance(page, int) else 1,
    )
    return state if part == "pages" or replace(state, page=shown.page) == shown else replace(state, page=1)


def register(app: Dash, source: CensusSource, table: Table, shown: str) -> None:
    """The callbacks of one table; `shown` is the store that holds the address on the screen."""
    # Dash runs a callback for parts that come later only if it has an output among them.
    app.clientside_callback(
        ClientsideFunction("census", "fitTable"), Output(table.id("fitted"), "data"), Input(table.id("grid"), "id")
    )
    parts = ("text", *(f.key for f in table.filters), "pages", "grid")
    inputs = [Input(table.id(part), "eventData" if part == "grid" else "value") for part in parts]

    def answer(address: str, values: Mapping[str, object], part: str) -> tuple[Any, ...]:
        with source.view() as view:
            if view is None:
                return [], "No census yet.", 1, 1, _height(table, ()), "", table.path
            on_screen = table.parse(parse_query(address.partition("?")[2]), view)
            state = asked(table, view, on_screen, values, part)
            if state == on_screen:  # the controls have just come, or nothing was changed
                return (no_update,) * _OUTPUTS
            state, rows, total = _ask(table, view, state)
        search = table.search(state)
        told = _count(table, state, total)
        return rows, told, _pages(total), state.page, _height(table, rows), search, table.path + search

    @app.callback(
        Output(table.id("grid"), "rowData"),
        Output(table.id("count"), "children"),
        Output(table.id("pages"), "total"),
        Output(table.id("pages"), "value"),
        Output(table.id("grid"), "style"),
        Output(frame.ADDRESS, "search", allow_duplicate=True),
        Output(shown, "data", allow_duplicate=True),
        *inputs,
        State(shown, "data"),
        prevent_initial_call=True,
    )
    async def update(*values: Any) -> tuple[Any, ...]:
        part = str(ctx.triggered_id).removeprefix(f"{table.name}-")
        held = dict(zip(parts, values, strict=False))
        return await trio.to_thread.run_sync(answer, str(values[-1] or ""), held, part, limiter=source.limiter)
