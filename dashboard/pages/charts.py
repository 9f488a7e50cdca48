"""What stands around a figure: title, subtitle, the chart in one sentence, and its numbers as a table."""

from collections.abc import Sequence

import plotly.graph_objects as go
from dash import dcc, html
from dash.development.base_component import Component

from analytics import wording
from analytics.schemas import MetricRow
from dashboard.aria import HIDDEN, aria

CONFIG: dcc.Graph.Config = {"displayModeBar": False, "responsive": True, "doubleClick": False, "showTips": False}
"""Plotly's settings in the browser: no toolbar, so no link to another host."""


def chart(
    name: str, title: str, subtitle: str, figure: go.Figure, text: str, table: Component, heading: str = "h2"
) -> Component:
    """A figure with everything it needs to be read without being seen."""
    title_id = f"{name}-title"
    head = html.H2(title, id=title_id) if heading == "h2" else html.H3(title, id=title_id)
    return html.Section(
        className="chart",
        **aria(labelledby=title_id),
        children=[
            head,
            html.P(subtitle, className="chart-sub"),
            # The sentence and the table say the same to those who do not see it.
            html.Div(
                dcc.Graph(id=name, figure=figure, config=CONFIG, style={"height": f"{figure.layout.height}px"}),
                **HIDDEN,
            ),
            html.P(text, className="chart-text"),
            html.Details([html.Summary("Table"), table]),
        ],
    )


def rows_table(rows: Sequence[MetricRow], first: str, names: Sequence[str]) -> Component:
    """Metric rows as a table: name, value, interval, basis."""
    head = html.Thead(
        html.Tr(
            [
                html.Th(first, scope="col"),
                html.Th(rows[0].unit if rows else "", scope="col", className="right"),
                html.Th("interval", scope="col"),
                html.Th("rests on", scope="col"),
            ]
        )
    )
    body = html.Tbody(
        [
            html.Tr(
                [
                    html.Th(name, scope="row"),
                    html.Td(wording.number(row.value), className="right"),
                    html.Td(wording.interval(row), className="whole"),
                    html.Td(f"{wording.number(row.n)} {row.denominator}"),
                ]
            )
            for name, row in zip(names, rows, strict=True)
        ]
    )
    return html.Div(html.Table([head, body], className="plain"), className="scroll")
