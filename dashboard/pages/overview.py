"""Overview: the nine things that the Matrix mission calls success, as the newest census sees them, and two charts."""

from dash import dcc, html
from dash.development.base_component import Component

from analytics import wording
from analytics.discovery import SERVERS_ON_THE_WAY
from dashboard import links
from dashboard.charts import now
from dashboard.choices import AS_FIRST_SHOWN
from dashboard.data import View
from dashboard.pages import mission
from dashboard.pages.charts import chart_section
from dashboard.request import PageRequest

_WHAT_IT_IS = (
    "Matrix is an open network of independent chat servers. This is its census, taken from outside: how it does at the "
    "nine things that its mission calls success."
)


def layout(request: PageRequest) -> Component:
    """The page."""
    view = request.view
    return html.Div(
        [
            html.H1("Overview", tabIndex="-1"),
            html.P(
                [
                    f"{_WHAT_IT_IS} ",
                    dcc.Link("How it is counted", href=links.page("/methods")),
                    " · ",
                    dcc.Link("Is my server counted?", href=links.page("/servers")),
                ],
                className="lede",
            ),
            mission.cards(view, request.scheme),
            html.H2("The last census" if view.past is None else "This census"),
            html.P(_last(view)),
            html.Div(
                className="charts",
                children=[
                    chart_section(now.FUNNEL, view, AS_FIRST_SHOWN, request.scheme, level=3),
                    chart_section(now.IMPLEMENTATIONS, view, AS_FIRST_SHOWN, request.scheme, level=3),
                ],
            ),
        ]
    )


def _last(view: View) -> list[Component | str]:
    """When it was, how long it took, how much of what there was to ask it asked."""
    crawl = view.crawl
    took = wording.duration(
        None if crawl.finished_at is None else (crawl.finished_at - crawl.started_at).total_seconds()
    )
    visited, known = crawl.servers or 0, view.known
    whole = (
        f"all {wording.number(known)}" if visited >= known else f"{wording.number(visited)} of {wording.number(known)}"
    )
    answers = next(
        (row for row in view.rows if row.metric == SERVERS_ON_THE_WAY and row.dimension == "directory answers"), None
    )
    said: list[Component | str] = [
        f"Sealed {wording.moment(crawl.finished_at)} after {took}. It visited {whole} known servers",
    ]
    if answers is not None and answers.value is not None:
        said.append(
            f", and of {wording.number(answers.n)} online ones {wording.number(answers.value)} answered with their "
            "room directory"
        )
    said.append(". It is census ")
    return [*said, html.Strong(str(crawl.id)), f", snapshot {view.reader.snapshot_id}."]
