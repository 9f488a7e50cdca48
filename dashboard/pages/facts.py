"""Small pieces of the server page: facts in pairs, tables of few rows, a state as icon and word."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.aria import HIDDEN, aria
from dashboard.wording import State

Cell = Component | str | list[Component | str]


def facts(pairs: Sequence[tuple[str, Cell | None]]) -> Component:
    """Pairs of a word and what is known; a pair whose second is None is left out."""
    items: list[Component] = []
    for word, known in pairs:
        if known is not None:
            items += [html.Dt(word), html.Dd(known)]
    return html.Dl(items, className="facts")


def plain_table(
    name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]], right: Sequence[int] = ()
) -> Component:
    """A table of few rows; the columns numbered in `right` are aligned so. On a narrow screen it scrolls, also
    by keyboard, and `name` is what it is called then."""
    sides = dict.fromkeys(right, "right")
    head = html.Tr([html.Th(name, scope="col", className=sides.get(i, "")) for i, name in enumerate(columns)])
    body = [html.Tr([html.Td(cell, className=sides.get(i, "")) for i, cell in enumerate(row)]) for row in rows]
    table = html.Table([html.Thead(head), html.Tbody(body)], className="plain")
    return html.Div(table, className="scroll", tabIndex="0", role="region", **aria(label=name))


def mark(state: State) -> Component:
    """A state: icon and word in its colour."""
    return html.Span(
        [html.Span(state.icon, className="state-icon", **HIDDEN), " ", state.word],
        className=f"state tone-{state.tone}",
    )
