"""A page of charts with controls: what is chosen stands in the address, and the address builds the page.

The controls keep their place and focus when something is chosen: only what is below them is made anew, and the address
follows. A link, or the back button, builds the page as it was.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import dash_mantine_components as dmc
import trio
from dash import Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import frame, links
from dashboard.choices import COMPARE, FROM, TO, WITH, Choice, Chosen, parse, search
from dashboard.data import CensusSource, View
from dashboard.palette import Scheme
from dashboard.request import PageRequest, parse_query, parse_scheme

PRESETS = ((30, "30 days"), (90, "90 days"), (365, "1 year"))

Body = Callable[[View, Chosen, Scheme], list[Component]]


@dataclass(frozen=True, slots=True)
class Board:
    """Controls and what they control. `body` builds what is below them; `compares`: two days can be put beside each
    other."""

    name: str
    path: str
    controls: tuple[Choice, ...]
    has_range: bool
    body: Body
    compares: bool = False

    def id(self, part: str) -> str:
        """The id of a part in the page."""
        return f"{self.name}-board-{part}"

    @property
    def parts(self) -> tuple[str, ...]:
        """The keys of its controls."""
        days = ((FROM, TO) if self.has_range else ()) + ((COMPARE, WITH) if self.compares else ())
        return (*days, *(choice.key for choice in self.controls))


def layout(board: Board, request: PageRequest) -> Component:
    """The controls and the body, as the address asks for them."""
    chosen = parse(request.query, board.controls)
    body = board.body(request.view, chosen, request.scheme)
    return html.Div([_controls(board, request.view, chosen), html.Div(body, id=board.id("body"), className="board")])


def _controls(board: Board, view: View, chosen: Chosen) -> Component:
    if not board.parts:
        return html.Div()
    parts: list[Component] = []
    if board.has_range:
        parts.append(_day(board, FROM, "From (UTC)", chosen.since, "first census"))
        parts.append(_day(board, TO, "To (UTC)", chosen.until, "newest census"))
        parts.append(_presets(board, view, chosen))
    parts += [
        dmc.Select(
            id=board.id(choice.key),
            label=choice.label,
            value=chosen.of(choice),
            data=[{"value": value, "label": label} for value, label in choice.options],
            allowDeselect=False,
            comboboxProps={"transitionProps": {"duration": 0}},
        )
        for choice in board.controls
    ]
    if board.compares:
        parts.append(_day(board, COMPARE, "Compare the day", chosen.compare, "none"))
        parts.append(_day(board, WITH, "with the day", chosen.compare_with, "newest census"))
    return html.Div(parts, className="filters", role="search")


def _day(board: Board, key: str, label: str, day: date | None, placeholder: str) -> Component:
    shown: Component = dmc.DateInput(
        id=board.id(key),
        label=label,
        value=None if day is None else day.isoformat(),
        valueFormat="D MMM YYYY",
        placeholder=placeholder,
        clearable=True,
        debounce=600,
        className="day",
    )
    return shown


def _presets(board: Board, view: View, chosen: Chosen) -> Component:
    newest = (view.crawl.finished_at or view.crawl.started_at).date()
    ranges = [(label, newest - timedelta(days=days)) for days, label in PRESETS]
    shown: list[Component] = []
    for label, since in (*ranges, ("all", None)):
        current = chosen.since == since and chosen.until is None
        there = replace(chosen, since=since, until=None)
        shown.append(
            dcc.Link(
                label,
                href=links.page(board.path + search(there, board.controls)),
                className="current" if current else "",
            )
        )
    return html.Div(shown, className="presets")


def register(app: Dash, source: CensusSource, board: Board, shown: str) -> None:
    """The callback of one board; `shown` is the store that holds the address on the screen."""
    if not board.parts:
        return

    def answer(address: str, values: dict[str, object], theme: str) -> tuple[Any, ...]:
        chosen = parse(values, board.controls)
        path, _, query = address.partition("?")
        # The controls have just come, or belong to a page that is being left.
        if path != board.path or chosen == parse(parse_query(query), board.controls):
            return (no_update,) * 3
        with source.looking(parse_query(query).get(links.AT)) as view:
            if view is None:
                return (no_update,) * 3
            body = board.body(view, chosen, parse_scheme(theme))
            asked = links.search(search(chosen, board.controls))
        return body, asked, board.path + asked

    @app.callback(
        Output(board.id("body"), "children"),
        Output(frame.ADDRESS, "search", allow_duplicate=True),
        Output(shown, "data", allow_duplicate=True),
        *(Input(board.id(part), "value") for part in board.parts),
        State(shown, "data"),
        State(frame.THEME, "data"),
        prevent_initial_call=True,
    )
    async def update(*values: Any) -> tuple[Any, ...]:
        held = dict(zip(board.parts, values, strict=False))
        address, theme = values[-2:]
        return await trio.to_thread.run_sync(answer, str(address or ""), held, str(theme), limiter=source.limiter)
