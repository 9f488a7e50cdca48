"""A number as a card: what it is, the number with its interval, what it rests on, its grade, how it came about."""

from dash import html
from dash.development.base_component import Component

from analytics import wording
from analytics.schemas import Grade, IntervalKind, MetricRow

_GRADE_ICON = {Grade.MEASURED: "●", Grade.ESTIMATED: "◐", Grade.REPORTED: "○", Grade.NOT_OBSERVABLE: "–"}


def number_card(title: str, row: MetricRow, note: str = "") -> Component:
    """One metric row. `note` is a plain clause that stands before what the number rests on."""
    basis = f"{note} · {row.window}" if note else row.window
    rests = f"{wording.number(row.n)} {row.denominator}" if row.value is not None else row.method
    return html.Article(
        className="card",
        children=[
            html.Div(
                className="card-head",
                children=[html.H2(title, className="card-title", style={"margin": 0}), grade_mark(row.grade)],
            ),
            _value(row),
            html.P([basis, " · of ", rests] if row.value is not None else rests, className="card-basis"),
            html.Details(
                [html.Summary("How"), html.P(row.method), html.P(_coverage(row))],
            ),
        ],
    )


def _value(row: MetricRow) -> Component:
    if row.value is None:
        return html.P("Not known", className="value unknown")
    at_least = row.interval_kind is IntervalKind.BOUNDS and row.hi is None
    said = [html.Small("at least")] if at_least else []
    interval = "" if at_least else wording.interval(row)
    return html.P(
        className="value",
        title=f"{row.value:,.10g} {row.unit}".replace(",", wording.THIN_SPACE),
        children=[*said, html.Span(wording.headline(row)), html.Small(interval)]
        if interval
        else [*said, wording.headline(row)],
    )


def _coverage(row: MetricRow) -> str:
    seen = "" if row.coverage is None else f"Coverage: {wording.percent(row.coverage)} of what there was to ask. "
    return f"{seen}Unit: {row.unit}. Census {row.snapshot}, sealed {wording.moment(row.at)}, crawler {row.crawler_version}."


def grade_mark(grade: Grade) -> Component:
    """The grade as icon and word, never by colour alone."""
    return html.Span([html.Span(_GRADE_ICON[grade], **{"aria-hidden": "true"}), f" {grade.value}"], className="grade")
