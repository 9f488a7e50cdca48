"""Methods: what each number means, how it is estimated, what is wrong with it, and the query that gives it."""

from collections.abc import Mapping, Sequence

from dash import dcc, html
from dash.development.base_component import Component

from analytics.charter import CHARTER, MissionMetric
from analytics.definitions import DEFINITIONS, Definition
from analytics.schemas import METRIC_COMMENTS, MetricRow
from dashboard import links
from dashboard.charts.catalogue import CHARTS
from dashboard.charts.series import literal
from dashboard.pages.facts import plain_table
from dashboard.pages.grades import grade_mark
from dashboard.request import PageRequest

_DECENTRALISATION = 0


def layout(request: PageRequest) -> Component:
    """The page; without a census it has the definitions alone."""
    rows = request.census.rows if request.census else ()
    by_metric: dict[str, list[MetricRow]] = {}
    for row in rows:
        by_metric.setdefault(row.metric, []).append(row)
    return html.Div(
        [
            html.H1("Methods", tabIndex="-1"),
            html.P(
                "What each number means, how it comes about, what is wrong with it, and the query that gives it.",
                className="lede",
            ),
            html.P(
                "There is no composite score: nobody could say what a point of it means. Absent, failed and zero are "
                "three things. Every number has a unit, a window, a denominator and a grade; an interval says of what "
                "kind it is."
            ),
            _contents(),
            *(part for metric in CHARTER for part in _mission(metric, by_metric)),
            html.H2("Decentralisation", id="decentralisation"),
            html.P(
                "Which the mission asks for in other words. Rooms and memberships are shared equally among the servers "
                "known to be in a room: nobody outside sees which server a member belongs to, so that is a model."
            ),
            *_definitions(_DECENTRALISATION, by_metric),
            html.H2("What others published", id="published-elsewhere"),
            html.P(
                [
                    "Figures of others and dated events stand beside charts, with who says so. They are taken over (",
                    html.Code("data/reference/annotations.csv"),
                    "), count other things than a crawl from outside, and are joined to no number here. Query: ",
                    html.Code("FROM annotation"),
                    ".",
                ]
            ),
            html.H2("The shape of every number", id="rows"),
            html.P(["All of them are rows of one table, ", html.Code("metric"), ", of the published file:"]),
            plain_table(
                "Columns of the table metric",
                ("Column", "Meaning"),
                [(html.Code(name), meaning) for name, meaning in METRIC_COMMENTS.items()],
            ),
        ]
    )


def _contents() -> Component:
    items = [
        html.Li(html.A(f"{metric.words[0].upper()}{metric.words[1:]}", href=f"#mission-{metric.number}"))
        for metric in CHARTER
    ]
    return html.Ol([*items, html.Li(html.A("Decentralisation", href="#decentralisation"))], className="contents")


def _mission(metric: MissionMetric, by_metric: Mapping[str, Sequence[MetricRow]]) -> list[Component]:
    return [
        html.H2(f"{metric.number}. {metric.words[0].upper()}{metric.words[1:]}", id=f"mission-{metric.number}"),
        html.P([part for grade in metric.grades for part in (grade_mark(grade), " ")]),
        html.P(metric.definition),
        html.Dl(
            [
                html.Dt("Estimator"),
                html.Dd(metric.estimator),
                html.Dt("Unit"),
                html.Dd(metric.unit),
                html.Dt("Window"),
                html.Dd(metric.window),
                html.Dt("Denominator"),
                html.Dd(metric.denominator),
                html.Dt("What is wrong with it"),
                html.Dd(html.Ul([html.Li(pitfall) for pitfall in metric.pitfalls], className="tight")),
                html.Dt("Rests on"),
                html.Dd("; ".join(metric.references)),
            ],
            className="facts",
        ),
        *_definitions(metric.number, by_metric),
    ]


def _definitions(number: int, by_metric: Mapping[str, Sequence[MetricRow]]) -> list[Component]:
    return [
        _definition(definition, by_metric.get(definition.metric, ()))
        for definition in DEFINITIONS.values()
        if definition.mission == number
    ]


def _definition(definition: Definition, rows: Sequence[MetricRow]) -> Component:
    methods = list(dict.fromkeys(row.method for row in rows))
    charts = [chart for chart in CHARTS.values() if definition.metric in chart.metrics]
    query = f"SELECT * FROM metric WHERE metric = {literal(definition.metric)} ORDER BY snapshot, dimension"  # noqa: S608
    parts: list[Component] = [
        html.H3([definition.title, " ", html.Code(definition.metric)]),
        html.P(definition.meaning),
    ]
    if methods:
        more = [html.Ul([html.Li(method) for method in methods[1:8]], className="tight")] if len(methods) > 1 else []
        parts.append(html.Details([html.Summary("As the newest census came to it"), html.P(methods[0]), *more]))
    parts.append(html.Details([html.Summary("Query"), html.Pre(html.Code(query), className="code", tabIndex="0")]))
    if charts:
        drawn: list[Component | str] = []
        for chart in charts:
            drawn += [dcc.Link(chart.title, href=links.page(f"/charts/{chart.name}")), " · "]
        parts.append(html.P(drawn[:-1], className="quiet"))
    return html.Section(parts, id=definition.metric, className="definition")
