"""Growth: does the federation grow? Servers, rooms and memberships over time; who comes, goes and stays."""

from dash import html
from dash.development.base_component import Component

from dashboard.charts import growth as charts
from dashboard.choices import SCALE, Chosen
from dashboard.data import View
from dashboard.pages import board
from dashboard.pages.charts import chart_section
from dashboard.palette import Scheme
from dashboard.request import PageRequest

_SECTIONS = (
    ("Servers", (charts.SERVERS_ONLINE, charts.SERVERS_ESTIMATED, charts.SERVERS_KNOWN, charts.SERVERS_DISTINCT)),
    ("Who comes, goes and stays", (charts.CHURN, charts.RETAINED, charts.SURVIVAL)),
    (
        "Rooms and memberships",
        (charts.ROOMS_LISTED, charts.MEMBERSHIPS_OVER_TIME, charts.ACCOUNTS_SCENARIO, charts.LARGEST),
    ),
)


def body(view: View, chosen: Chosen, scheme: Scheme) -> list[Component]:
    """All charts of the page."""
    parts: list[Component] = []
    for heading, of_it in _SECTIONS:
        parts.append(html.H2(heading))
        sections = [chart_section(chart, view, chosen, scheme, level=3) for chart in of_it]
        parts.append(html.Div(sections, className="charts"))
    return parts


BOARD = board.Board("growth", "/growth", (SCALE, charts.DAYS), has_range=True, body=body)


def layout(request: PageRequest) -> Component:
    """The page."""
    return html.Div(
        [
            html.H1("Growth", tabIndex="-1"),
            html.P(
                "Does the federation grow? Each point is a whole census; one that failed leaves a gap.",
                className="lede",
            ),
            board.layout(BOARD, request),
        ]
    )
