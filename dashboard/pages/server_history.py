"""What a server was like over time: its last 90 days, and which versions, keys and certificates it had when."""

from dash import html
from dash.development.base_component import Component

from analytics import wording as numbers
from crawler.store.histories import DAYS, ServerHistory, Span
from dashboard import wording
from dashboard.data import View
from dashboard.figures.implementations import label
from dashboard.figures.uptime import uptime
from dashboard.pages.facts import Cell, plain_table
from dashboard.palette import Scheme

_SHORT = 16


def history(view: View, server_name: str, scheme: Scheme) -> list[Component]:
    """The part of a server's page about its past."""
    past = view.reader.server_history(server_name, view.crawl.id)
    end = "now" if view.past is None else numbers.day(view.crawl.finished_at or view.crawl.started_at)
    return [html.H2(f"The last {DAYS} days"), *_bars(past, scheme, end), *_spans(view, past)]


def _bars(past: ServerHistory, scheme: Scheme, end: str) -> list[Component]:
    bars = uptime(past.days, scheme)
    if bars is None:
        return [html.P("No census of these days knows it.", className="quiet")]
    first = past.first_online
    since = f" First seen online on {numbers.day(first)}." if first is not None else " It was never seen online."
    return [
        html.Img(src=bars.picture, alt=bars.words, className="uptime"),
        html.Div(
            [
                html.Span(f"{DAYS} days before"),
                html.Span("full: online, stub: not, none: not known"),
                html.Span(end),
            ],
            className="uptime-ends",
        ),
        html.P(bars.words + since),
    ]


def _spans(view: View, past: ServerHistory) -> list[Component]:
    tables = (
        ("Versions over time", ("Software", "Version"), past.versions, lambda span: _version(view, span)),
        ("Signing keys over time", ("Key ID", "Key"), past.keys, _key),
        ("Certificates over time", ("Issued by", "SHA-256"), past.certificates, _certificate),
    )
    parts: list[Component] = []
    for title, columns, spans, cells in tables:
        if spans:
            rows = [[*cells(span), *_when(span)] for span in spans]
            parts += [html.H3(title), plain_table(title, (*columns, "Seen from", "Until"), rows)]
    return parts


def _when(span: Span) -> list[Cell]:
    return [numbers.day(span.seen_from), "now" if span.seen_to is None else numbers.day(span.seen_to)]


def _version(view: View, span: Span) -> list[Cell]:
    name = label(span.what, view.software) if span.what else "not said"
    return [name, wording.one_line(span.detail, 40) or "not said"]


def _key(span: Span) -> list[Cell]:
    key = wording.one_line(span.detail, 60)
    return [
        html.Code(wording.one_line(span.what, 60)),
        html.Code(f"{key[:_SHORT]}…" if len(key) > _SHORT else key, title=key),
    ]


def _certificate(span: Span) -> list[Cell]:
    fingerprint = span.detail or ""
    return [wording.one_line(span.what, 60), html.Code(f"{fingerprint[:_SHORT]}…", title=fingerprint)]
