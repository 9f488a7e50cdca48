"""Overview: how large the federation is today, in six numbers and two charts."""

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from analytics import wording
from analytics.funnel import SERVERS, Predicate
from analytics.rooms import LARGEST_ROOM, MEMBERSHIPS, ROOMS
from analytics.schemas import MetricRow
from analytics.software import BY_SOFTWARE, LINEAGES, NOT_SAID
from dashboard.figures.funnel import funnel_figure, funnel_text
from dashboard.figures.implementations import implementations_figure, implementations_text, label
from dashboard.pages.cards import number_card
from dashboard.pages.charts import chart, rows_table
from dashboard.request import PageRequest

_CARDS: tuple[tuple[str, str, str | None, str], ...] = (
    # title, metric, dimension (None: whatever it is), a plain clause
    ("Servers online", SERVERS, Predicate.ONLINE, "valid TLS, and the version is answered"),
    ("Servers that federate", SERVERS, Predicate.FEDERATING, "online, with valid keys"),
    ("Lineages of software", LINEAGES, "all", "families of forks, as servers say"),
    ("Public rooms", ROOMS, "room", "different room IDs, spaces left out"),
    ("Memberships in public rooms", MEMBERSHIPS, "all", "not people: one person in ten rooms is ten"),
    ("Members of the largest room", LARGEST_ROOM, None, "as its directories report"),
)


def layout(request: PageRequest) -> Component:
    """The page."""
    rows = request.view.rows
    by_software = [row for row in rows if row.metric == BY_SOFTWARE]
    funnel = [row for row in rows if row.metric == SERVERS]
    reference = request.view.software
    names = [label(row.dimension, reference) if row.dimension != NOT_SAID else NOT_SAID for row in by_software]
    return html.Div(
        [
            html.H1("Overview", tabIndex="-1"),
            html.P(
                [
                    "How large the open Matrix federation is, as one crawl sees it from outside. ",
                    dcc.Link("How it is counted", href="/about"),
                    " · ",
                    dcc.Link("Is my server counted?", href="/servers"),
                ],
                className="lede",
            ),
            html.Div(className="cards", children=list(_cards(rows))),
            html.Div(
                className="charts",
                children=[
                    chart(
                        "funnel",
                        "From known to listing",
                        f"Servers, in one crawl, of {wording.number(_known(funnel))} that anything named",
                        funnel_figure(funnel, request.scheme),
                        funnel_text(funnel),
                        rows_table(funnel, "stage", [row.dimension for row in funnel]),
                    ),
                    chart(
                        "implementations",
                        "What online servers run",
                        f"Servers, in one crawl, of {wording.number(_online(by_software))} online; "
                        "one colour for each family of forks",
                        implementations_figure(by_software, reference, request.scheme),
                        implementations_text(by_software, reference),
                        rows_table(by_software, "implementation", names),
                    ),
                ],
            ),
        ]
    )


def _cards(rows: Sequence[MetricRow]) -> list[Component]:
    cards: list[Component] = []
    for title, metric, dimension, note in _CARDS:
        row = next((r for r in rows if r.metric == metric and dimension in (None, r.dimension)), None)
        if row is not None:
            cards.append(number_card(title, row, note))
    return cards


def _known(funnel: Sequence[MetricRow]) -> float:
    return next((row.value or 0 for row in funnel if row.dimension == Predicate.KNOWN), 0)


def _online(by_software: Sequence[MetricRow]) -> int:
    return by_software[0].n if by_software else 0
