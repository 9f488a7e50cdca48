"""How a number came to be known, as icon and word, never by colour alone."""

from dash import html
from dash.development.base_component import Component

from analytics.schemas import Grade
from dashboard.aria import HIDDEN

_ICON = {Grade.MEASURED: "●", Grade.ESTIMATED: "◐", Grade.REPORTED: "○", Grade.NOT_OBSERVABLE: "–"}


def grade_mark(grade: Grade) -> Component:
    """The mark of a grade."""
    return html.Span([html.Span(_ICON[grade], **HIDDEN), f" {grade.value}"], className="grade")
