"""A number as a card: what it is, the number with its interval, what it rests on, its grade, how it came about."""

from dash import html
from dash.development.base_component import Component

from analytics import wording
from analytics.schemas import Grade, MetricRow
from dashboard.aria import HIDDEN

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
    word, said = wording.headline(row)
    # An interval that is open above is said by the word already.
    interval = wording.interval(row) if row.hi is not None else ""
    return html.P(
        className="value",
        title=f"{row.value:,.10g} {row.unit}".replace(",", wording.THIN_SPACE),
        children=[
            html.Small(word) if word else "",
            html.Span(said),
            html.Small(interval, className="interval") if interval else "",
        ],
    )


def _coverage(row: MetricRow) -> str:
    seen = "" if row.coverage is None else f"Coverage: {wording.percent(row.coverage)} of what there was to ask. "
    sealed = f"Census {row.snapshot}, sealed {wording.moment(row.at)}, crawler {row.crawler_version}."
    return f"{seen}Unit: {row.unit}. {sealed}"


def grade_mark(grade: Grade) -> Component:
    """The grade as icon and word, never by colour alone."""
    return html.Span([html.Span(_GRADE_ICON[grade], **HIDDEN), f" {grade.value}"], className="grade")
