"""Crawl health: can these numbers be trusted? How each crawl went, and where servers fall out."""

from typing import Any

from dash import html
from dash.development.base_component import Component

from analytics import wording
from crawler.model.crawl import Crawl, CrawlState
from dashboard import wording as words
from dashboard.charts import health
from dashboard.choices import SCALE, Chosen
from dashboard.data import View
from dashboard.pages import board
from dashboard.pages.charts import chart_section
from dashboard.pages.facts import Cell, facts, mark, plain_table
from dashboard.palette import Scheme
from dashboard.request import PageRequest

_CRAWLS_SHOWN = 30
_STATES = {
    CrawlState.COMPLETED: words.State("completed", "✓", words.GOOD),
    CrawlState.CANCELLED: words.State("cancelled", "–", words.QUIET),
    CrawlState.FAILED: words.State("failed", "✕", words.BAD),
    CrawlState.RUNNING: words.State("running", "–", words.QUIET),
}


def _body(view: View, chosen: Chosen, scheme: Scheme) -> list[Component]:
    return [
        html.H2("Where servers fall out"),
        chart_section(health.FALL_OUT, view, chosen, scheme, level=3),
        html.H2("Over time"),
        html.Div(
            [
                chart_section(chart, view, chosen, scheme, level=3)
                for chart in (health.FAILURES, health.COMPLETENESS, health.DURATION)
            ],
            className="charts",
        ),
    ]


BOARD = board.Board("crawls", "/crawls", (SCALE,), has_range=True, body=_body)


def layout(request: PageRequest) -> Component:
    """The page."""
    view = request.view
    return html.Div(
        [
            html.H1("Crawl health", tabIndex="-1"),
            html.P(
                "Can these numbers be trusted? What each crawl did, how complete it was, and what failed.",
                className="lede",
            ),
            html.H2("The newest census" if view.past is None else "This census"),
            _report(view),
            board.layout(BOARD, request),
            html.H2("All crawls"),
            *_crawls(view),
        ]
    )


def _report(view: View) -> Component:
    """What the crawl said of itself at its seal."""
    report = view.reader.report(view.crawl.id)
    crawl = view.crawl
    took = None if crawl.finished_at is None else (crawl.finished_at - crawl.started_at).total_seconds()
    traffic = _part(report, "traffic")
    tries = _part(report, "tries")
    pairs: list[tuple[str, Cell | None]] = [
        ("Sealed", wording.moment(crawl.finished_at)),
        ("Took", wording.duration(took)),
        ("Visited", f"{wording.number(crawl.servers)} of {wording.number(view.known)} known servers"),
        ("Vantage", words.one_line(crawl.vantage, 80)),
        ("Crawler", f"matrix-census {crawl.crawler_version}"),
        ("Requests", _count(traffic, "requests")),
        ("Read", _megabytes(traffic, "bytes_read")),
        ("Tried again", _count(tries, "again")),
        ("Of these came back", _count(tries, "came_back")),
        ("Not judged", _nested(tries, "unjudged")),
        ("Bounds hit", _nested(report, "bounds_hit")),
        ("Left to later", _count(report, "servers_deferred")),
        ("Rooms that opted out", _count(report, "rooms_opted_out")),
    ]
    if report.get("rehearsed") is True:
        pairs.append(("How it came about", "rehearsed: what a perfect crawl would have seen, without any request"))
    return facts(pairs)


def _part(report: Any, name: str) -> dict[str, Any]:
    part = report.get(name)
    return part if isinstance(part, dict) else {}


def _count(part: Any, name: str) -> str | None:
    value = part.get(name)
    return wording.number(value) if isinstance(value, int | float) else None


def _nested(part: Any, name: str) -> str | None:
    count = _count(_part(part, name), "servers")
    return None if count is None else f"{count} servers"


def _megabytes(part: Any, name: str) -> str | None:
    value = part.get(name)
    return f"{wording.number(value / 1e6)}{wording.THIN_SPACE}MB" if isinstance(value, int | float) else None


def _crawls(view: View) -> list[Component]:
    crawls = view.reader.crawls()
    columns = ("Crawl", "Sealed", "State", "Scope", "Took", "Servers", "Online", "Rooms", "Seen from")
    rows = [_row(crawl) for crawl in crawls[:_CRAWLS_SHOWN]]
    parts: list[Component] = [plain_table("All crawls", columns, rows, right=(0, 4, 5, 6, 7))]
    if len(crawls) > _CRAWLS_SHOWN:
        parts.append(html.P(f"And {wording.number(len(crawls) - _CRAWLS_SHOWN)} before these.", className="quiet"))
    parts.append(
        html.P(
            "Only a completed, full crawl is a census; others are kept and shown, and counted nowhere.",
            className="quiet",
        )
    )
    return parts


def _row(crawl: Crawl) -> list[Cell]:
    took = None if crawl.finished_at is None else (crawl.finished_at - crawl.started_at).total_seconds()
    return [
        str(crawl.id),
        wording.moment(crawl.finished_at),
        mark(_STATES[crawl.state]),
        f"{crawl.scope.value}{', synthetic' if crawl.synthetic else ''}",
        wording.duration(took),
        wording.number(crawl.servers),
        wording.number(crawl.online),
        wording.number(crawl.rooms),
        words.one_line(crawl.vantage, 40),
    ]
