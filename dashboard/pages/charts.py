"""What stands around a figure: title, subtitle, the chart in one sentence, its addresses, its numbers as a table."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from urllib.parse import quote

import polars as pl
from dash import dcc, html
from dash.development.base_component import Component

from analytics import wording
from dashboard import links
from dashboard.aria import HIDDEN, aria, attributes
from dashboard.charts.chart import Chart
from dashboard.charts.events import events_beside
from dashboard.choices import Chosen, search
from dashboard.data import View
from dashboard.figures.drawing import Digest, Drawing, Event, Look, Picture, picture
from dashboard.pages.facts import plain_table
from dashboard.palette import Scheme


def _config() -> dcc.Graph.Config:
    """Plotly's settings in the browser: no toolbar, so no link to another host; outlines of maps from our assets."""
    return {
        "displayModeBar": False,
        "responsive": True,
        "doubleClick": False,
        "showTips": False,
        "topojsonURL": links.whole("/assets/topojson/"),
    }


def chart_path(chart: Chart, chosen: Chosen) -> str:
    """The address of a chart alone, as it is shown."""
    return links.page(f"/charts/{quote(chart.name)}{search(chosen, chart.controls)}")


def chart_section(
    chart: Chart,
    view: View,
    chosen: Chosen,
    scheme: Scheme,
    *,
    level: int = 2,
    compared: tuple[datetime, ...] = (),
) -> Component:
    """A chart with everything it needs to be read without being seen, made once for each census and choice; of days
    that somebody chose, there are too many to keep.

    Args:
        chart: The chart.
        view: The census.
        chosen: What was chosen, of this chart or others.
        scheme: What the visitor wears.
        level: Of its heading; 0: the page says it.
        compared: Moments of censuses that are marked.
    """
    chosen = only(chart, chosen)
    if chosen.since is not None or chosen.until is not None or compared:
        return _section(chart, view, chosen, scheme, level, compared)
    key = ("section", chart.name, search(chosen, chart.controls), scheme, level)
    return view.once(key, lambda: _section(chart, view, chosen, scheme, level))


def only(chart: Chart, chosen: Chosen) -> Chosen:
    """Of what was chosen on a page, what this chart has."""
    values = {c.key: chosen.of(c) for c in chart.controls if chosen.of(c) != c.default}
    return Chosen(chosen.since, chosen.until, values) if chart.over_time else Chosen(values=values)


def _section(
    chart: Chart, view: View, chosen: Chosen, scheme: Scheme, level: int, compared: tuple[datetime, ...] = ()
) -> Component:
    if chart.newest_only and view.past is not None:
        return _only_now(chart, chosen, level)
    rows = chart.rows(view, chosen)
    known = rows if "value" not in rows.columns else rows.drop_nulls("value")
    words = _words(chart, chosen, view)
    if known.is_empty():
        return html.Section(
            className="chart",
            **aria(labelledby=f"{chart.name}-title"),
            children=[
                _head(chart.name, chart.title, level),
                html.P(words, className="chart-sub"),
                html.P(_nothing(chart, chosen), className="absent"),
            ],
        )
    look = Look(scheme, chosen, events_beside(view, known), compared)
    return drawn_section(
        chart.name, chart.title, words, chart.drawing, rows, look, view, level=level, below=_addresses(chart, chosen)
    )


def _only_now(chart: Chart, chosen: Chosen, level: int) -> Component:
    """Of an earlier census it is not kept; what is not known then is not shown as of today."""
    with links.looking_at(None):
        there = chart_path(chart, chosen)
    return html.Section(
        className="chart",
        **aria(labelledby=f"{chart.name}-title"),
        children=[
            _head(chart.name, chart.title, level),
            html.P(
                ["Kept for the newest census alone: ", dcc.Link("see it there", href=there), "."], className="absent"
            ),
        ],
    )


def drawn_section(
    name: str,
    title: str,
    words: str,
    drawing: Drawing,
    rows: pl.DataFrame,
    look: Look,
    view: View,
    *,
    level: int = 2,
    below: Component | None = None,
) -> Component:
    """A drawing of rows under its title and `words`, with its sentence and table; also of what is no chart with an
    address of its own."""
    figure = picture(drawing, rows, look)
    layout = figure["layout"]
    source = f"Matrix Census, {view.reader.snapshot_id}" + (", synthetic" if view.crawl.synthetic else "")
    meta = layout.get("meta") or {}
    note, wide_only = meta.get("note"), bool(meta.get("wide_only"))
    subtitle = words + (f" · {note}" if note else "")
    layout["meta"] = meta | {"title": title, "subtitle": subtitle, "source": source}
    return html.Section(
        className="chart",
        **aria(labelledby=f"{name}-title"),
        children=[
            _head(name, title, level),
            html.P(subtitle, className="chart-sub"),
            _key(figure),
            # The sentence and the table say the same to those who do not see it.
            html.Div(
                className="wide-only" if wide_only else "",
                children=dcc.Graph(id=name, figure=figure, config=_config(), style={"height": f"{layout['height']}px"}),
                **HIDDEN,
            ),
            html.P(drawing.sentence(rows, look), className="chart-text"),
            *([below] if below is not None else []),
            html.Details([html.Summary("Table"), digest_table(title, drawing.digest(rows, look))], open=wide_only),
            *_events(look.events),
        ],
    )


def _events(events: Sequence[Event]) -> list[Component]:
    """What the letters on the picture stand for, and who says so."""
    if not events:
        return []
    rows = [(event.label, event.when, event.text, event.source) for event in events]
    return [
        html.Details(
            [
                html.Summary(f"What happened meanwhile ({events[0].label} to {events[-1].label})"),
                plain_table("What happened meanwhile", ("", "when", "what", "who says so"), rows),
                html.P("Beside the numbers and not in them: that one came after the other proves nothing."),
            ]
        )
    ]


def _head(name: str, title: str, level: int) -> Component:
    """Under a heading of the page that says the same (level 0), it is there for those who hear it."""
    heading = html.H3 if level == 3 else html.H2
    return heading(title, id=f"{name}-title", className="" if level else "hidden-text")


def _words(chart: Chart, chosen: Chosen, view: View) -> str:
    window = chart.window
    if view.past is not None:
        window = window.replace(
            "newest census", f"census of {wording.day(view.crawl.finished_at or view.crawl.started_at)}"
        )
    parts = [chart.unit, window, f"of {chart.denominator}" if chart.denominator else ""]
    parts += [choice.label_of(chosen.of(choice)) for choice in chart.controls if chosen.of(choice) != choice.default]
    return " · ".join(part for part in parts if part)


def _key(figure: Picture) -> Component:
    """The names of the lines with their looks, where they are not written at the lines' ends: on a narrow screen, and
    of curves."""
    named = [
        (trace["name"], trace.get("line", {}))
        for trace in figure["data"]
        if trace.get("type") == "scatter" and trace.get("name") and trace.get("mode") != "markers"
    ]
    items = [
        html.Li(
            [html.Span(className=f"key-line {line.get('dash', 'solid')}", style={"color": line.get("color")}), name]
        )
        for name, line in named
    ]
    always = " always" if figure["layout"]["meta"].get("key") else ""
    return html.Ul(items, className=f"key{always}", **HIDDEN) if len(items) > 1 else html.Div(className="key")


def _nothing(chart: Chart, chosen: Chosen) -> str:
    if chosen.since is not None or chosen.until is not None:
        return f"Nothing to draw in these days. {chart.absent}"
    return chart.absent


def _addresses(chart: Chart, chosen: Chosen) -> Component:
    """The quiet line: method, data, picture, link, embedded view."""
    query = search(chosen, chart.controls)
    name = quote(chart.name)
    shown: list[Component] = [
        dcc.Link("Method", href=links.page(f"/methods#{chart.method}")),
        html.A("CSV", href=links.page(f"/data/{name}.csv{query}"), download=f"{chart.name}.csv"),
        html.A("JSON", href=links.page(f"/data/{name}.json{query}")),
        *(
            html.Button(kind.upper(), type="button", className="as-link", **attributes(picture=kind, of=chart.name))
            for kind in ("png", "svg")
        ),
        dcc.Link("Link", href=chart_path(chart, chosen)),
        html.A("Embed", href=links.page(f"/embed/{name}{query}")),
    ]
    return html.P(_named(shown, chart.title), className="chart-links")


def _named(shown: Iterable[Component], title: str) -> list[Component]:
    """Each link with the chart's title for those who hear it out of its place."""
    named = list(shown)
    for link in named:
        link.children = [link.children, html.Span(f" of {title}", className="hidden-text")]
    return named


def digest_table(name: str, digest: Digest) -> Component:
    """The small table of a chart."""
    return plain_table(name, digest.headings, digest.rows, digest.right)
