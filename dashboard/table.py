"""A table of many rows, paged, filtered and sorted in SQL, its whole state in the address.

The browser holds one page of rows. Every change (a filter, a column's header, a page number) is one query, and the
address follows, so that a link or the back button brings back the same rows. Sorting is SQL's: the grid shows the arrow
and keeps the order it is given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
import trio
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from analytics import wording
from dashboard import frame, links
from dashboard.data import CensusSource, View
from dashboard.request import parse_query
from dashboard.table_state import LAST_PAGE, ROWS_A_PAGE, Column, Table, TableState, asked

HEADER_HEIGHT_PX = 40
_ROW_BORDER_PX = 2
_OUTPUTS = 7


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
    rows, total = _rows(table, view, state)
    if not rows and total:
        state = replace(state, page=_pages(total))
        rows, total = _rows(table, view, state)
    return state, rows, total


def _rows(table: Table, view: View, state: TableState) -> tuple[list[dict[str, Any]], int]:
    """The same for every visitor who asks for the same."""
    return view.once(("table", table.name, table.search(state)), lambda: table.rows(view, state))


def register(app: Dash, source: CensusSource, table: Table, shown: str) -> None:
    """The callbacks of one table; `shown` is the store that holds the address on the screen."""
    # Dash runs a callback for parts that come later only if it has an output among them.
    app.clientside_callback(
        ClientsideFunction("census", "fitTable"), Output(table.id("fitted"), "data"), Input(table.id("grid"), "id")
    )
    parts = ("text", *(f.key for f in table.filters), "pages", "grid")
    inputs = [Input(table.id(part), "eventData" if part == "grid" else "value") for part in parts]

    def answer(address: str, values: Mapping[str, object], part: str) -> tuple[Any, ...]:
        with source.looking(parse_query(address.partition("?")[2]).get(links.AT)) as view:
            if view is None:
                return [], "No census yet.", 1, 1, _height(table, ()), "", table.path
            on_screen = table.parse(parse_query(address.partition("?")[2]), view)
            state = asked(table, view, on_screen, values, part)
            if state == on_screen:  # the controls have just come, or nothing was changed
                return (no_update,) * _OUTPUTS
            state, rows, total = _ask(table, view, state)
            search = links.search(table.search(state))
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
