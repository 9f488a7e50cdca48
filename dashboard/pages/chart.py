"""One chart alone, with all its controls, the query that reproduces it, and how to embed it; and the embedded view."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache

import polars as pl
from dash import Dash, dcc, html
from dash.development.base_component import Component

from dashboard import links
from dashboard.charts.catalogue import CHARTS
from dashboard.charts.chart import Chart
from dashboard.choices import Chosen, parse, search
from dashboard.data import CensusSource, View
from dashboard.figures.comparison import census_of, comparison
from dashboard.figures.drawing import Look
from dashboard.figures.lines import Lines
from dashboard.pages import board
from dashboard.pages.charts import chart_path, chart_section, digest_table, only
from dashboard.pages.facts import plain_table
from dashboard.palette import Scheme
from dashboard.request import PageRequest


@cache
def _board(name: str) -> board.Board:
    chart = CHARTS[name]

    def body(view: View, chosen: Chosen, scheme: Scheme) -> list[Component]:
        compared = _compared(chart, view, chosen)
        marked = tuple(at for at in compared.moments if at) if compared else ()
        return [
            chart_section(chart, view, chosen, scheme, level=0, compared=marked),
            *(_beside(chart, compared, only(chart, chosen), scheme) if compared else ()),
            *_reproduce(chart, only(chart, chosen), view.past),
        ]

    compares = chart.over_time and isinstance(chart.drawing, Lines)
    return board.Board(f"chart-{name}", f"/charts/{name}", chart.controls, chart.over_time, body, compares)


def exists(name: str) -> bool:
    """Whether there is such a chart."""
    return name in CHARTS


def title(name: str) -> str:
    """The title of a chart that there is."""
    return CHARTS[name].title


def layout(request: PageRequest) -> Component:
    """The page of one chart."""
    chart = CHARTS[request.argument]
    return html.Div(
        [
            html.H1(chart.title, tabIndex="-1"),
            html.P("One chart, its numbers, and how to make it again.", className="lede"),
            board.layout(_board(chart.name), request),
        ]
    )


def embedded(request: PageRequest) -> Component:
    """The chart for a page of somebody else."""
    chart = CHARTS[request.argument]
    chosen = only(chart, parse(request.query, chart.controls))
    return html.Div(
        [
            html.H1(chart.title, className="hidden-text"),
            chart_section(chart, request.view, chosen, request.scheme),
            html.P(
                [
                    html.Strong("Synthetic: practice servers · " if request.view.crawl.synthetic else ""),
                    "Matrix Census, snapshot ",
                    html.Code(request.view.reader.snapshot_id),
                    " · ",
                    html.A("whole page", href=chart_path(chart, chosen), target="_blank", rel="noopener"),
                ],
                className="quiet",
            ),
        ]
    )


@dataclass(frozen=True, slots=True)
class _Compared:
    """Two days of a chart, the earlier first, and the rows of all censuses, not of the range alone."""

    days: tuple[date, date]
    rows: pl.DataFrame

    @property
    def moments(self) -> tuple[datetime | None, ...]:
        return tuple(census_of(self.rows, day) for day in self.days)


def _compared(chart: Chart, view: View, chosen: Chosen) -> _Compared | None:
    if chosen.compare is None or not isinstance(chart.drawing, Lines):
        return None
    second = chosen.compare_with or (view.crawl.finished_at or view.crawl.started_at).date()
    first, last = sorted((chosen.compare, second))
    return _Compared((first, last), chart.rows(view, replace(chosen, since=None, until=None)))


def _beside(chart: Chart, compared: _Compared, chosen: Chosen, scheme: Scheme) -> list[Component]:
    """The two days that were chosen beside each other."""
    if not isinstance(chart.drawing, Lines):
        return []
    told = comparison(chart.drawing, compared.rows, Look(scheme, chosen), *compared.days)
    return [
        html.H2("Two days compared"),
        digest_table("Two days compared", told),
        html.P(
            "Each is the last census of its day, or before it; the picture marks both. What the intervals allow "
            "reaches from the least that the later can be less the most that the earlier can be, to the reverse: wider "
            "than an interval of the difference would be. Where there is no interval, each was counted.",
            className="quiet",
        ),
    ]


def _reproduce(chart: Chart, chosen: Chosen, past: int | None) -> list[Component]:
    address = "…" + links.page(f"/embed/{chart.name}{search(chosen, chart.controls)}")
    iframe = f'<iframe src="{address}" width="100%" height="560" title="{chart.title}"></iframe>'
    return [
        html.H2("The query that gives these numbers"),
        html.P(
            [
                "On the published file, with ",
                html.Code("matrix-census sql"),
                " or any DuckDB. The data has these columns; columns are only ever added.",
            ]
        ),
        html.Pre(html.Code(chart.query(chosen, past)), className="code", tabIndex="0"),
        plain_table("Columns", ("Column", "Meaning"), [(html.Code(c.name), c.meaning) for c in chart.columns]),
        html.H2("Embed it"),
        html.P(
            "It follows every new census. Without from and to it always shows all of them."
            if past is None
            else f"It stays with census {past}, as at= says; without that it follows every new census."
        ),
        html.Pre(html.Code(iframe), className="code", tabIndex="0"),
        html.P(dcc.Link("How it is counted", href=links.page(f"/methods#{chart.method}"))),
    ]


def register(app: Dash, source: CensusSource, shown: str) -> None:
    """The callbacks of the pages of all charts."""
    for name in CHARTS:
        board.register(app, source, _board(name), shown)
